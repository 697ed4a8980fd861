//! Interprets the bodies of `errors/`: each is an error that is ready to be grouped and shown.
//!
//! ```text
//! body ─► frames in order ─► scrub ─► culprit, grouping ─► NewError
//!                                         │ functions and files: names
//!                                         │ texts: normalise
//! ```

mod changes;
mod culprit;
mod fingerprint;
mod names;
#[cfg(any(fuzzing, test))]
pub(crate) mod normalise;
#[cfg(not(any(fuzzing, test)))]
mod normalise;
mod user;

pub(super) use changes::changes;

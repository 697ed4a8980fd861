//! Interprets the bodies of `errors/`: each is an error that is ready to be grouped and shown.
//!
//! ```text
//! body ─► frames in order ─► scrub ─► culprit, grouping ─► NewError
//!                                         │ functions and files: names
//!                                         │ texts: normalise, which knows patterns
//! ```

mod changes;
mod culprit;
mod fingerprint;
mod names;
mod normalise;
mod patterns;

pub(super) use changes::changes;

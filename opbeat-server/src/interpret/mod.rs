//! Interprets reports: scrubs, groups and rolls them up into changes of the store. Pure: no clock, no I/O.
//!
//! ```text
//! report ─► scrub ─► errors: frames, culprit, fingerprint ──────────► changes
//!              ├──► transactions: rollups, breakdown, samples ──────►
//!              └──► releases, deployments ──────────────────────────►
//! ```

mod browser;
mod check_ins;
mod context;
mod errors;
mod extra;
mod frames;
mod origin;
mod releases;
mod report;
mod scrub;
mod spans;
mod traces;
mod transactions;
mod trees;

#[cfg(any(fuzzing, test))]
pub(crate) use errors::normalise;
pub(crate) use origin::Origin;
pub(crate) use report::interpret;
pub(crate) use spans::{TracedSpan, TracedTransaction, interpret_span};
pub(crate) use trees::JoinedTransaction;

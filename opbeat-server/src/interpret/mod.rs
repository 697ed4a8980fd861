//! Interprets reports: scrubs, groups and rolls them up into changes of the store. Pure: no clock, no I/O.
//!
//! ```text
//! report ─► scrub ─► errors: frames, culprit, fingerprint ──────────► changes
//!              ├──► transactions: rollups, breakdown, samples ──────►
//!              └──► releases, deployments ──────────────────────────►
//! ```

mod browser;
mod context;
mod errors;
mod frames;
mod origin;
mod releases;
mod report;
mod scrub;
mod traces;
mod transactions;

pub(crate) use origin::Origin;
pub(crate) use report::interpret;

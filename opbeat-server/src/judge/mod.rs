//! Judges after each release, and every hour without one, which transactions became slower.
//!
//! ```text
//! releases, hours ─► looks that are due ─► history: rollups in blocks of ten minutes ─► opbeat-judgement ─► findings
//!                                   results: the classes of requests ──────────────────┤
//!                                   signatures: time of kinds, divided ────────────────┘         ▲
//!                                   callers: stacks of samples ─► opbeat-repository: last change ─┘
//! ```
//!
//! A look is taken 30 minutes, 1 hour, 3 hours and 24 hours after a release was completed. It stores the transactions that
//! are slower, each with a sentence. At the end of each hour, the last three hours of apps without a release are looked at in the
//! same way, and changes that were found so are followed until they are over.

mod callers;
mod due;
mod history;
mod hours;
mod look;
mod results;
mod rounds;
mod signatures;
#[cfg(test)]
mod tests;

pub(crate) use rounds::take_looks;

//! Judges after each release which transactions became slower.
//!
//! ```text
//! releases ─► looks that are due ─► history: rollups in blocks of ten minutes ─► opbeat-judgement ─► findings
//!                                   results: the classes of requests ──────────────────┤
//!                                   signatures: time of kinds, divided ────────────────┘         ▲
//!                                   callers: stacks of samples ─► opbeat-repository: last change ─┘
//! ```
//!
//! A look is taken 30 minutes, 1 hour, 3 hours and 24 hours after a release was completed. It stores the transactions that
//! are slower, each with a sentence.

mod callers;
mod due;
mod history;
mod look;
mod results;
mod signatures;
#[cfg(test)]
mod tests;

pub(crate) use look::take_looks;

//! Interprets the traces of transactions, which agents send in two forms.
//!
//! ```text
//! sampled form ────► samples ─► self times ─► estimate ─┐
//! aggregated form ─► tree ─► averages, self times ──────┴─► breakdown
//! ```

mod aggregated;
mod breakdown;
mod document;
mod estimate;
mod groups;
mod sampled;
pub(super) mod self_time;
mod tree;

pub(super) use aggregated::aggregated;
pub(super) use sampled::sampled;

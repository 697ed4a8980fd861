//! Interprets the traces of transactions, which agents send in two forms.

mod aggregated;
mod groups;
mod sampled;
pub(super) mod self_time;

pub(super) use aggregated::aggregated;
pub(super) use sampled::sampled;

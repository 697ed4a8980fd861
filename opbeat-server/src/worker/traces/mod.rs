//! Where transactions spend their time, from the two forms that agents send.

mod aggregated;
mod sampled;
mod self_time;
mod stacks;

pub(super) use aggregated::aggregated;
pub(super) use sampled::sampled;

/// The kind of the time that no span covers.
const APP: &str = "app";

/// The signature and the kind of the span that stands for the whole transaction.
const ROOT: &str = "transaction";

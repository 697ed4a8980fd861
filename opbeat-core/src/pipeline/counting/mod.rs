//! Counts of all transactions, and samples of some of them.
//!
//! ```text
//! thread ─► shards: one per thread ─► counts: by name and kind ─► entry ─┬─► minute: durations by result, self time
//!           drained once per interval                                    └─► samples: whole transactions
//! ```

mod clock;
mod counts;
mod entry;
mod key;
mod minute;
mod samples;
mod self_time;
mod shards;
mod totals;

pub(super) use counts::Counts;
pub(crate) use shards::SamplePosition;
pub(super) use shards::Shards;

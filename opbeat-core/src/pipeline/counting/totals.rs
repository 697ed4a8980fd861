//! The size of all counts of a shard together, and its limits.

use super::self_time::SelfTimes;
use crate::record::Drops;

/// The number of transactions, and of minutes of names, at which counts are delivered before their interval ends.
const FULL_TRANSACTIONS: usize = 50_000;
const FULL_MINUTES: usize = 2_000;

/// The number of transactions, and of minutes of names, at which counts are dropped: no worker drains them. Either it
/// hangs, or the process is a fork, which has none of the agent's threads.
const ABANDONED_TRANSACTIONS: usize = 500_000;
const ABANDONED_MINUTES: usize = 20_000;

/// The largest number of samples in an interval, of all names together.
const MAX_SAMPLES: usize = 200;

/// The size of all counts together, and what they share.
#[derive(Default)]
pub(super) struct Totals {
    pub(super) transactions: usize,
    pub(super) minutes: usize,
    pub(super) samples: usize,
    pub(super) drops: Drops,
    pub(super) self_times: SelfTimes,
}

impl Totals {
    pub(super) fn has_room_for_samples(&self) -> bool {
        self.samples < MAX_SAMPLES
    }

    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.transactions >= FULL_TRANSACTIONS || self.minutes >= FULL_MINUTES
    }

    pub(super) fn is_abandoned(&self) -> bool {
        self.transactions >= ABANDONED_TRANSACTIONS || self.minutes >= ABANDONED_MINUTES
    }
}

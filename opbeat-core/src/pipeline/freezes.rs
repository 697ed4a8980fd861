//! Times in which the whole process was frozen: by a debugger, a suspended machine, or an exhausted quota of CPU time.
//!
//! A poll that was frozen looks long, but it blocked no executor. The worker's own sleep is frozen as well, and so it
//! lasts longer than it was asked to.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::record::LongPoll;

/// The delay of a sleep from which on the process counts as frozen. A busy system delays threads for shorter times.
const SHORTEST_FREEZE: Duration = Duration::from_millis(50);

/// The largest number of freezes that are remembered.
const MAX_FREEZES: usize = 64;

/// The last freezes.
#[derive(Default)]
pub(super) struct Freezes {
    all: VecDeque<Freeze>,
}

/// A freeze within a sleep of the worker.
struct Freeze {
    since: Instant,
    until: Instant,
    /// The time by which the sleep was too long.
    lasted: Duration,
}

impl Freezes {
    /// Notes a sleep of the worker, and the time that it was asked to take.
    pub(super) fn note_sleep(&mut self, since: Instant, asked: Duration, until: Instant) {
        let lasted = until.saturating_duration_since(since).saturating_sub(asked);
        if lasted >= SHORTEST_FREEZE {
            self.all.truncate(MAX_FREEZES - 1);
            self.all.push_front(Freeze { since, until, lasted });
        }
    }

    /// Returns whether a poll took less than the threshold, apart from the freezes.
    pub(super) fn explain(&self, poll: &LongPoll, threshold: Duration) -> bool {
        let (start, end) = poll.within;
        let within = |freeze: &Freeze| freeze.until.min(end).saturating_duration_since(freeze.since.max(start));
        let frozen = self.all.iter().map(|freeze| within(freeze).min(freeze.lasted));
        poll.took.saturating_sub(frozen.sum()) <= threshold
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_is_explained_by_the_freezes_within_it() {
        let start = Instant::now();
        let ms = |ms| start + Duration::from_millis(ms);
        let poll = |from: u64, until: u64| LongPoll {
            took: Duration::from_millis(until - from),
            within: (ms(from), ms(until)),
        };
        let mut freezes = Freezes::default();
        freezes.note_sleep(ms(0), Duration::from_millis(50), ms(70));
        freezes.note_sleep(ms(300), Duration::from_millis(50), ms(500));
        let threshold = Duration::from_millis(100);
        assert!(freezes.explain(&poll(290, 510), threshold), "frozen for 150 of 220 ms");
        assert!(!freezes.explain(&poll(290, 650), threshold), "frozen for 150 of 360 ms");
        assert!(!freezes.explain(&poll(600, 800), threshold), "frozen before");
        assert!(!freezes.explain(&poll(0, 150), threshold), "a sleep that was a little late is no freeze");
    }
}

//! The condition of RabbitMQ, as far as this process knows it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::super::condition::Failure;
use super::super::log::Position;

/// The condition of RabbitMQ, for the health check.
#[derive(Debug, Default)]
pub(crate) struct BrokerCondition {
    outage: Mutex<Option<Failure>>,
    counts: Mutex<Counts>,
}

/// Counts of records. A byte of the spool counts as much as a record.
#[derive(Debug, Default)]
struct Counts {
    /// The records that waited in RabbitMQ at the last look.
    ready: u64,
    /// The records that this process has published since that look.
    published: u64,
    /// The records that this process's worker holds.
    held: u64,
    /// The records that this process has appended since the last call of `ends`.
    appended: u64,
    /// The records that this process has stored since then.
    stored: u64,
    /// The ends at that call.
    start: u64,
    end: u64,
}

impl BrokerCondition {
    /// Returns why RabbitMQ cannot be used, and since when.
    pub(crate) fn outage(&self) -> Option<Failure> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that RabbitMQ cannot be used. An outage has the time of its first failure, and the reason of its last one.
    pub(super) fn fail(&self, reason: &str) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        let at = outage.as_ref().map_or_else(Instant::now, |failure| failure.at);
        *outage = Some(Failure { at, reason: reason.to_owned() });
    }

    /// Notes that RabbitMQ works.
    pub(super) fn recover(&self) {
        *self.outage.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Announces a look at RabbitMQ, so that what is published from now on is counted besides its result.
    pub(super) fn start_look(&self) {
        self.counts().published = 0;
    }

    /// Sets the number of records that wait in RabbitMQ.
    pub(super) fn set_ready(&self, ready: u64) {
        self.counts().ready = ready;
    }

    /// Counts records that were published and confirmed.
    pub(super) fn count_published(&self, records: u64) {
        let mut counts = self.counts();
        counts.published += records;
        counts.appended += records;
    }

    /// Counts bytes that were appended to the spool.
    pub(super) fn count_spooled(&self, bytes: u64) {
        self.counts().appended += bytes;
    }

    /// Counts bytes of the spool that were published.
    pub(super) fn count_drained(&self, bytes: u64) {
        self.counts().stored += bytes;
    }

    /// Sets the number of records that the worker holds, and counts those that it has stored since.
    pub(super) fn set_held(&self, held: u64, stored: u64) {
        let mut counts = self.counts();
        counts.held = held;
        counts.stored += stored;
    }

    /// Returns the number of records that wait.
    pub(crate) fn waiting(&self) -> u64 {
        self.counts().waiting()
    }

    /// Returns a count of what is stored, and one of what was appended. Both only grow.
    ///
    /// RabbitMQ does not report how much other workers have stored. Records that no longer wait count as stored.
    pub(crate) fn ends(&self, spooled: u64) -> (Position, Position) {
        let mut counts = self.counts();
        let waiting = counts.waiting() + spooled;
        let (appended, stored) = (std::mem::take(&mut counts.appended), std::mem::take(&mut counts.stored));
        counts.end = (counts.end + appended).max(counts.start + stored + waiting);
        counts.start = counts.start.max(counts.end - waiting);
        let position = |offset| Position { segment: 0, offset };
        (position(counts.start), position(counts.end))
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn waiting(&self) -> u64 {
        self.ready + self.published + self.held
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_meet_when_nothing_waits() {
        let condition = BrokerCondition::default();
        let ends = |spooled| {
            let (start, end) = condition.ends(spooled);
            (start.offset, end.offset)
        };
        condition.count_published(10);
        assert_eq!(ends(0), (0, 10), "the worker has none of them");
        condition.start_look();
        condition.set_ready(4);
        assert_eq!(ends(0), (6, 10), "another worker has stored some, or holds them");
        condition.count_spooled(100);
        assert_eq!(ends(100), (6, 110));
        condition.set_held(4, 0);
        condition.set_ready(0);
        condition.count_drained(100);
        condition.count_published(2);
        assert_eq!(ends(0), (106, 112));
        condition.set_held(0, 4);
        condition.start_look();
        assert_eq!(ends(0), (112, 112));
    }
}

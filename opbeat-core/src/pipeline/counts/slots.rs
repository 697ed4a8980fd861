//! Some transactions with their spans.

use std::mem;
use std::time::Duration;

use crate::record::TransactionRecord;

/// How many failed transactions of a name are kept in an interval.
const FAILED: usize = 3;

/// The samples of one name in an interval: the failed, the slowest, the first ever seen, and a random one.
#[derive(Default)]
pub(super) struct Slots {
    first: Option<Box<TransactionRecord>>,
    failed: Vec<TransactionRecord>,
    slowest: Option<Box<TransactionRecord>>,
    /// What each transaction is compared with, kept here since records lie elsewhere in memory.
    longest: Duration,
    random: Option<Box<TransactionRecord>>,
    /// How many transactions could have become the random one.
    candidates: u64,
}

/// The place that a transaction takes as a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    First,
    Failed,
    Slowest,
    Random,
}

impl Slots {
    /// Chooses the place of a transaction, if it is to be kept. Most are not, and are looked at only.
    #[inline]
    pub(super) fn choose(&mut self, record: &TransactionRecord, is_first: bool, has_room: bool) -> Option<Slot> {
        if has_room && is_first {
            return Some(Slot::First);
        }
        if has_room && record.outcome.is_failure() && self.failed.len() < FAILED {
            return Some(Slot::Failed);
        }
        match &self.slowest {
            Some(_) if self.longest < record.duration => Some(Slot::Slowest),
            Some(_) => self.draw(has_room).then_some(Slot::Random),
            None => has_room.then_some(Slot::Slowest),
        }
    }

    /// Keeps a transaction in the place that was chosen. Returns whether there is one more sample now.
    #[cold]
    pub(super) fn keep(&mut self, slot: Slot, record: Box<TransactionRecord>, has_room: bool) -> bool {
        if slot == Slot::Slowest {
            self.longest = record.duration;
        }
        match slot {
            Slot::First => self.first.replace(record).is_none(),
            Slot::Failed => {
                self.failed.push(*record);
                true
            }
            Slot::Slowest => match self.slowest.replace(record) {
                Some(slower) if self.draw(has_room) => self.random.replace(slower).is_none(),
                Some(_) => false,
                None => true,
            },
            Slot::Random => self.random.replace(record).is_none(),
        }
    }

    /// Moves the samples out, and how many transactions they were chosen from.
    pub(super) fn take(&mut self) -> (u64, impl Iterator<Item = Box<TransactionRecord>> + use<>) {
        let Self { first, failed, slowest, random, candidates, longest: _ } = mem::take(self);
        (candidates, first.into_iter().chain(failed.into_iter().map(Box::new)).chain(slowest).chain(random))
    }

    /// Returns whether no sample is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.failed.is_empty() && self.slowest.is_none() && self.random.is_none()
    }

    /// Counts candidates that were seen elsewhere.
    pub(super) fn add_candidates(&mut self, candidates: u64) {
        self.candidates += candidates;
    }

    /// Draws each candidate with the same probability: reservoir sampling, Vitter's algorithm R with room for one.
    #[inline]
    fn draw(&mut self, has_room: bool) -> bool {
        self.candidates += 1;
        (self.random.is_some() || has_room) && fastrand::u64(..self.candidates) == 0
    }
}

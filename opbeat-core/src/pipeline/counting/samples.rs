//! Transactions that are kept whole, with their spans.

use std::mem;
use std::time::Duration;

use crate::record::TransactionRecord;

/// The largest number of failed transactions of one name that are kept in an interval.
const MAX_FAILED: usize = 3;

/// The samples of one name in an interval: the failed, the slowest, the first ever seen, and a random one.
#[derive(Default)]
pub(super) struct Samples {
    first: Option<Box<TransactionRecord>>,
    failed: Vec<TransactionRecord>,
    slowest: Option<Box<TransactionRecord>>,
    /// The duration of the slowest sample. Each transaction is compared with it, and reading the record itself would
    /// take another memory access.
    longest: Duration,
    random: Option<Box<TransactionRecord>>,
    /// The number of transactions that the random sample was drawn from.
    candidates: u64,
}

/// The reason why a transaction is kept as a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SampleKind {
    First,
    Failed,
    Slowest,
    Random,
}

impl Samples {
    /// Decides whether to keep a transaction, and as which kind of sample. Most transactions are not kept.
    #[inline]
    pub(super) fn choose(&mut self, record: &TransactionRecord, is_first: bool, has_room: bool) -> Option<SampleKind> {
        if has_room && is_first {
            return Some(SampleKind::First);
        }
        if has_room && record.outcome.is_failure() && self.failed.len() < MAX_FAILED {
            return Some(SampleKind::Failed);
        }
        match &self.slowest {
            Some(_) if self.longest < record.duration => Some(SampleKind::Slowest),
            Some(_) => self.draw(has_room).then_some(SampleKind::Random),
            None => has_room.then_some(SampleKind::Slowest),
        }
    }

    /// Keeps a transaction as the chosen kind of sample. Returns whether the number of samples has grown.
    #[cold]
    pub(super) fn keep(&mut self, kind: SampleKind, record: Box<TransactionRecord>, has_room: bool) -> bool {
        if kind == SampleKind::Slowest {
            self.longest = record.duration;
        }
        match kind {
            SampleKind::First => self.first.replace(record).is_none(),
            SampleKind::Failed => {
                self.failed.push(*record);
                true
            }
            SampleKind::Slowest => match self.slowest.replace(record) {
                Some(slower) if self.draw(has_room) => self.random.replace(slower).is_none(),
                Some(_) => false,
                None => true,
            },
            SampleKind::Random => self.random.replace(record).is_none(),
        }
    }

    /// Takes out the samples, and the number of transactions that the random one was drawn from.
    pub(super) fn take(&mut self) -> (u64, impl Iterator<Item = Box<TransactionRecord>> + use<>) {
        let Self { first, failed, slowest, random, candidates, longest: _ } = mem::take(self);
        (candidates, first.into_iter().chain(failed.into_iter().map(Box::new)).chain(slowest).chain(random))
    }

    /// Returns whether no sample is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.failed.is_empty() && self.slowest.is_none() && self.random.is_none()
    }

    /// Adds the candidates of another shard.
    pub(super) fn add_candidates(&mut self, candidates: u64) {
        self.candidates += candidates;
    }

    /// Draws each candidate with the same probability. It is reservoir sampling: Vitter's algorithm R with room for
    /// one.
    #[inline]
    fn draw(&mut self, has_room: bool) -> bool {
        self.candidates += 1;
        (self.random.is_some() || has_room) && fastrand::u64(..self.candidates) == 0
    }
}

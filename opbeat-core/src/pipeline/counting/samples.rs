//! Transactions that are kept whole, with their spans.

use std::mem;
use std::time::Duration;

use crate::record::TransactionRecord;

/// The largest number of failed transactions of one name that are kept in an interval.
const MAX_FAILED: usize = 3;

/// The samples of one name in an interval: the failed, the slowest, the first ever seen, and random ones.
pub(super) struct Samples {
    first: Option<Box<TransactionRecord>>,
    failed: Vec<TransactionRecord>,
    slowest: Option<Box<TransactionRecord>>,
    /// The duration of the slowest sample. Each transaction is compared with it, and reading the record itself would
    /// take another memory access.
    longest: Duration,
    random: Vec<TransactionRecord>,
    /// The number of transactions that the random samples were drawn from.
    candidates: u64,
    /// The largest number of random samples. If it is 0, no sample of any kind is kept.
    most_random: usize,
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
    pub(super) fn new(most_random: usize) -> Self {
        let longest = Duration::ZERO;
        Self { first: None, failed: Vec::new(), slowest: None, longest, random: Vec::new(), candidates: 0, most_random }
    }

    /// Decides whether to keep a transaction, and as which kind of sample. Most transactions are not kept.
    #[inline]
    pub(super) fn choose(&mut self, record: &TransactionRecord, is_first: bool, has_room: bool) -> Option<SampleKind> {
        if self.most_random == 0 {
            return None;
        }
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
                Some(slower) if self.draw(has_room) => self.keep_random(*slower),
                Some(_) => false,
                None => true,
            },
            SampleKind::Random => self.keep_random(*record),
        }
    }

    /// Keeps a random sample, instead of another one if there are enough. Returns whether the number has grown.
    fn keep_random(&mut self, record: TransactionRecord) -> bool {
        let grows = self.random.len() < self.most_random;
        if grows {
            self.random.push(record);
        } else if !self.random.is_empty() {
            let index = fastrand::usize(..self.random.len());
            self.random[index] = record;
        }
        grows
    }

    /// Takes out the samples, and the number of transactions that the random ones were drawn from.
    pub(super) fn take(&mut self) -> (u64, impl Iterator<Item = Box<TransactionRecord>> + use<>) {
        let Self { first, failed, slowest, random, candidates, longest: _, most_random: _ } =
            mem::replace(self, Self::new(self.most_random));
        let (failed, random) = (failed.into_iter().map(Box::new), random.into_iter().map(Box::new));
        (candidates, first.into_iter().chain(failed).chain(slowest).chain(random))
    }

    /// Returns whether no sample is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.failed.is_empty() && self.slowest.is_none() && self.random.is_empty()
    }

    /// Adds the candidates of another shard.
    pub(super) fn add_candidates(&mut self, candidates: u64) {
        self.candidates += candidates;
    }

    /// Draws each candidate with the same probability. It is reservoir sampling: Vitter's algorithm R.
    #[inline]
    fn draw(&mut self, has_room: bool) -> bool {
        self.candidates += 1;
        if self.random.len() < self.most_random {
            // An interval with few transactions keeps the first of them.
            return has_room;
        }
        fastrand::u64(..self.candidates) < self.most_random as u64
    }
}

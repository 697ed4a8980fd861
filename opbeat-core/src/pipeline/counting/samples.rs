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

/// Samples that were drawn at random, and the number of transactions that they were drawn from.
pub(super) struct RandomSamples {
    samples: Vec<TransactionRecord>,
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

    /// Takes out all samples.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Box<TransactionRecord>> + use<> {
        let RandomSamples { samples, .. } = self.take_random();
        self.take_chosen().chain(samples.into_iter().map(Box::new))
    }

    /// Takes out the samples that were not drawn at random.
    pub(super) fn take_chosen(&mut self) -> impl Iterator<Item = Box<TransactionRecord>> + use<> {
        self.longest = Duration::ZERO;
        let (first, failed, slowest) = (self.first.take(), mem::take(&mut self.failed), self.slowest.take());
        first.into_iter().chain(failed.into_iter().map(Box::new)).chain(slowest)
    }

    /// Takes out the random samples.
    pub(super) fn take_random(&mut self) -> RandomSamples {
        RandomSamples { samples: mem::take(&mut self.random), candidates: mem::take(&mut self.candidates) }
    }

    /// Adds the random samples of another shard. Each stands for an equal part of the transactions that they were drawn
    /// from, so that no shard is preferred. Returns by how much the number of samples has grown.
    pub(super) fn add_random(&mut self, other: RandomSamples, has_room: bool) -> usize {
        let RandomSamples { samples, candidates } = other;
        let Some(each) = candidates.checked_div(samples.len() as u64) else {
            self.candidates += candidates;
            return 0;
        };
        let mut grown = 0;
        for sample in samples {
            self.candidates += each.max(1);
            let is_kept = if self.random.len() < self.most_random {
                has_room
            } else {
                fastrand::u64(..self.candidates) < each.max(1).saturating_mul(self.most_random as u64)
            };
            grown += usize::from(is_kept && self.keep_random(sample));
        }
        grown
    }

    /// Returns whether no sample is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.failed.is_empty() && self.slowest.is_none() && self.random.is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws one of a thousand transactions of each shard.
    fn drawn(shard: u64) -> RandomSamples {
        let record = TransactionRecord { request_bytes: Some(shard), ..TransactionRecord::default() };
        RandomSamples { samples: vec![record], candidates: 1_000 }
    }

    #[test]
    fn no_shard_is_preferred() {
        let of_first = (0..1_000).filter(|_| {
            let mut samples = Samples::new(1);
            (0..2).for_each(|shard| _ = samples.add_random(drawn(shard), true));
            samples.take_random().samples[0].request_bytes == Some(0)
        });
        // Half of them are expected; with a fair coin, a result beyond these limits has a chance below one in 10^9.
        assert!((400..=600).contains(&of_first.count()));
    }
}

//! Transactions that are kept whole, with their spans.

use std::mem;
use std::time::Duration;

use crate::record::{RequestRecord, TransactionRecord};

/// The largest number of failed transactions of one name that are kept in an interval.
const MAX_FAILED: usize = 3;

/// The samples of one name in an interval: the failed, the slowest, the first ever seen, and random ones.
///
/// The random ones are those with the smallest ranks. A rank is a hash of the trace, so that each transaction is chosen
/// with the same probability, and so that the applications of a distributed trace choose the same traces.
pub(super) struct Samples {
    first: Option<Box<TransactionRecord>>,
    failed: Vec<TransactionRecord>,
    slowest: Option<Box<TransactionRecord>>,
    /// The duration of the slowest sample. Each transaction is compared with it, and reading the record itself would
    /// take another memory access.
    longest: Duration,
    random: Vec<RankedSample>,
    /// The largest rank of the random samples. Each transaction is compared with it.
    largest_rank: u64,
    /// The largest number of random samples. If it is 0, no sample of any kind is kept.
    most_random: usize,
}

/// A sample that was drawn at random.
pub(super) struct RankedSample {
    rank: u64,
    record: TransactionRecord,
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
        Self {
            first: None,
            failed: Vec::new(),
            slowest: None,
            longest,
            random: Vec::new(),
            largest_rank: 0,
            most_random,
        }
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
            Some(_) => self.has_place_for(rank(record), has_room).then_some(SampleKind::Random),
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
                Some(slower) => self.keep_random(RankedSample::new(*slower), has_room),
                None => true,
            },
            SampleKind::Random => self.keep_random(RankedSample::new(*record), has_room),
        }
    }

    /// Keeps a random sample if its rank is small enough, instead of the one with the largest rank if there are enough.
    /// Returns whether the number has grown.
    fn keep_random(&mut self, sample: RankedSample, has_room: bool) -> bool {
        if !self.has_place_for(sample.rank, has_room) {
            return false;
        }
        let grows = self.random.len() < self.most_random;
        if grows {
            self.random.push(sample);
        } else if let Some(last) = self.random.iter_mut().max_by_key(|sample| sample.rank) {
            *last = sample;
        }
        self.largest_rank = self.random.iter().map(|sample| sample.rank).max().unwrap_or(0);
        grows
    }

    /// Takes out all samples.
    pub(super) fn take(&mut self) -> impl Iterator<Item = Box<TransactionRecord>> + use<> {
        let random = self.take_random();
        self.take_chosen().chain(random.into_iter().map(|sample| Box::new(sample.record)))
    }

    /// Takes out the samples that were not drawn at random.
    pub(super) fn take_chosen(&mut self) -> impl Iterator<Item = Box<TransactionRecord>> + use<> {
        self.longest = Duration::ZERO;
        let (first, failed, slowest) = (self.first.take(), mem::take(&mut self.failed), self.slowest.take());
        first.into_iter().chain(failed.into_iter().map(Box::new)).chain(slowest)
    }

    /// Takes out the random samples.
    pub(super) fn take_random(&mut self) -> Vec<RankedSample> {
        self.largest_rank = 0;
        mem::take(&mut self.random)
    }

    /// Adds the random samples of another shard. Returns by how much the number of samples has grown.
    pub(super) fn add_random(&mut self, others: Vec<RankedSample>, has_room: bool) -> usize {
        others.into_iter().map(|sample| usize::from(self.keep_random(sample, has_room))).sum()
    }

    /// Returns whether no sample is kept.
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none() && self.failed.is_empty() && self.slowest.is_none() && self.random.is_empty()
    }

    /// Returns whether a transaction with this rank is kept as a random sample. It is a bottom-k sample (Cohen and Kaplan,
    /// 2007): parts of it that were drawn apart are added up exactly.
    #[inline]
    fn has_place_for(&self, rank: u64, has_room: bool) -> bool {
        // An interval with few transactions keeps the first of them.
        if self.random.len() < self.most_random { has_room } else { rank < self.largest_rank }
    }
}

impl RankedSample {
    fn new(record: TransactionRecord) -> Self {
        Self { rank: rank(&record), record }
    }
}

/// Returns the rank of a transaction: a hash of its trace's id, or of its own id if it began the trace. Callers in other
/// processes and languages choose ids, so that not all bits of an id are random.
#[inline]
fn rank(record: &TransactionRecord) -> u64 {
    let trace = record.trace.or_else(|| record.request.as_ref().and_then(RequestRecord::trace_parent));
    let id = trace.map_or(record.id.0, |trace| trace.trace_id);
    // The finalizer of SplitMix64 (Steele, Lea and Flood, 2014).
    let mut hash = (id >> 64) as u64 ^ id as u64;
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::TransactionId;

    /// Draws one of many transactions with the given ids.
    fn drawn(ids: impl Iterator<Item = u128>) -> Samples {
        let mut samples = Samples::new(1);
        for id in ids {
            let record = TransactionRecord { id: TransactionId(id), ..TransactionRecord::default() };
            samples.keep(SampleKind::Random, Box::new(record), true);
        }
        samples
    }

    fn id(samples: &Samples) -> u128 {
        samples.random[0].record.id.0
    }

    #[test]
    fn each_transaction_has_the_same_chance() {
        let of_first_half =
            (0..1_000).filter(|round| id(&drawn((0..100).map(|id| round * 100 + id))) % 100 < 50).count();
        // Half of them are expected. The ids are fixed, and so is the result.
        assert!((440..=560).contains(&of_first_half), "{of_first_half}");
    }

    #[test]
    fn all_shards_and_applications_choose_the_same_trace() {
        let (mut one, mut other) = (drawn(1..=500), drawn(501..=1_000));
        one.add_random(other.take_random(), true);
        assert_eq!(id(&one), id(&drawn((1..=1_000).rev())));
    }
}

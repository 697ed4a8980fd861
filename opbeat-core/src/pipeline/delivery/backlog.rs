//! The batches that wait for the server, within bounds.

use std::collections::VecDeque;

use super::Batch;
use super::queued_batch::QueuedBatch;
use crate::record::Drops;

/// The largest number of transactions in the backlog, and of bytes that their counts take. Many names need
/// more memory.
const MAX_TRANSACTIONS: usize = 2_000_000;
const MAX_BYTES: usize = 64 << 20;

/// The largest number of samples and of errors in the backlog. They are large, and old ones are less useful than new
/// ones.
const MAX_SAMPLES: usize = 1_000;
const MAX_ERRORS: usize = 1_000;

/// The batches that wait: the one whose last attempt failed, and those that were never sent.
///
/// A batch whose attempt failed does not change. The server may have accepted it although no response arrived, and then
/// it recognises the repetition by the batch's id. New data is added to the newest batch that was never sent, so that
/// an outage makes few batches, however often the agent is flushed.
#[derive(Default)]
pub(super) struct Backlog {
    attempted: Option<QueuedBatch>,
    unsent: VecDeque<QueuedBatch>,
}

impl Backlog {
    /// Adds the contents of a batch. Returns the drops: the oldest unsent data, if there is too much.
    pub(super) fn push(&mut self, mut batch: Batch) -> Drops {
        let mut durations = std::mem::take(&mut batch.durations);
        while !durations.is_empty() {
            self.newest_with(QueuedBatch::has_room).add_durations(&mut durations);
        }
        self.newest_with(|_| true).add_rest(batch);
        self.make_room()
    }

    /// Puts back a batch that could not be delivered.
    pub(super) fn put_back(&mut self, batch: Batch) {
        self.attempted = Some(QueuedBatch::new(batch));
    }

    /// Takes out the batch that is to be delivered next: the oldest.
    pub(super) fn next(&mut self) -> Option<Batch> {
        self.attempted.take().or_else(|| self.unsent.pop_front()).map(QueuedBatch::into_batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attempted.is_none() && self.unsent.is_empty()
    }

    /// Drops everything. Returns the drops.
    pub(super) fn clear(&mut self) -> Drops {
        let mut dropped = Drops::default();
        while let Some(batch) = self.next() {
            dropped += batch.contents();
        }
        dropped
    }

    /// Returns the newest unsent batch if it meets the condition, or else a new one.
    fn newest_with(&mut self, is_suitable: impl Fn(&QueuedBatch) -> bool) -> &mut QueuedBatch {
        if !self.unsent.back().is_some_and(is_suitable) {
            self.unsent.push_back(QueuedBatch::new(Batch { id: fastrand::u128(..), ..Batch::default() }));
        }
        self.unsent.back_mut().expect("a batch was there, or has just been added")
    }

    fn make_room(&mut self) -> Drops {
        let mut dropped = self.drop_oldest();
        let all = || self.attempted.iter().chain(&self.unsent);
        let mut transactions: usize = all().map(QueuedBatch::transactions).sum();
        let mut bytes: usize = all().map(QueuedBatch::bytes).sum();
        while self.unsent.len() > 1 && (transactions > MAX_TRANSACTIONS || bytes > MAX_BYTES) {
            let Some(oldest) = self.unsent.pop_front() else { break };
            transactions -= oldest.transactions();
            bytes -= oldest.bytes();
            let oldest = oldest.into_batch();
            dropped += oldest.contents();
            // Its own count of earlier drops is still to be reported.
            self.newest_with(|_| true).add_rest(Batch { drops: oldest.drops, ..Batch::default() });
        }
        dropped
    }

    /// Drops the oldest samples and errors beyond their limits.
    fn drop_oldest(&mut self) -> Drops {
        let (mut samples, mut errors, mut dropped) = (MAX_SAMPLES, MAX_ERRORS, Drops::default());
        for batch in self.unsent.iter_mut().rev() {
            dropped += batch.drop_oldest(&mut samples, &mut errors);
        }
        dropped
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::record::DurationGroup;

    fn batch(minute: u64, name: &str, transactions: usize) -> Batch {
        let minute = UNIX_EPOCH + Duration::from_secs(60 * minute);
        let milliseconds = vec![1.0; transactions];
        let (name, kind, result) = (name.to_owned(), "".into(), "ok".into());
        let group = DurationGroup { minute, name, kind, result, milliseconds, head_milliseconds: Vec::new() };
        Batch { durations: vec![group], ..Batch::default() }
    }

    fn take_all(backlog: &mut Backlog) -> Vec<Batch> {
        std::iter::from_fn(|| backlog.next()).collect()
    }

    #[test]
    fn new_data_is_added_to_the_newest_unsent_batch() {
        let mut backlog = Backlog::default();
        for minute in [1, 1, 2, 1] {
            assert!(backlog.push(batch(minute, "test", 10)).is_empty());
        }
        let first = backlog.next().expect("one batch");
        assert_eq!(first.durations.iter().map(|group| group.milliseconds.len()).collect::<Vec<_>>(), [30, 10]);
        let id = first.id;
        backlog.put_back(first);
        assert!(backlog.push(batch(1, "test", 5)).is_empty());
        let counts: Vec<_> =
            take_all(&mut backlog).iter().map(|batch| (batch.id == id, batch.transactions())).collect();
        assert_eq!(counts, [(true, 40), (false, 5)], "an attempted batch does not change");
    }

    #[test]
    fn head_times_of_merged_groups_stay_aligned() {
        let mut backlog = Backlog::default();
        let mut slow = batch(1, "test", 1);
        slow.durations[0].head_milliseconds = vec![0.5];
        for more in [batch(1, "test", 1), slow, batch(1, "test", 1)] {
            assert!(backlog.push(more).is_empty());
        }
        let groups = backlog.next().expect("one batch").durations;
        assert_eq!(groups[0].milliseconds, [1.0, 1.0, 1.0]);
        assert_eq!(groups[0].head_milliseconds, [1.0, 0.5, 1.0]);
    }

    #[test]
    fn transactions_beyond_the_limit_are_dropped_and_counted() {
        let (mut backlog, mut dropped) = (Backlog::default(), Drops::default());
        let drops = Drops { spans: 1, ..Drops::default() };
        for minute in 0..30 {
            dropped += backlog.push(Batch { drops, ..batch(minute, "test", 90_000) });
        }
        let kept = take_all(&mut backlog);
        let transactions: usize = kept.iter().map(Batch::transactions).sum();
        assert_eq!(transactions as u64 + dropped.transactions, 30 * 90_000);
        assert!((1_800_000..=MAX_TRANSACTIONS).contains(&transactions), "{transactions}");
        let earlier_drops = kept.iter().map(|batch| batch.drops.spans).sum::<u64>();
        assert_eq!(earlier_drops, 30, "earlier drops are still reported");
    }

    #[test]
    fn counts_of_many_names_are_limited_by_their_memory() {
        let (mut backlog, mut dropped) = (Backlog::default(), Drops::default());
        let name = |number: u64| format!("{number:0>1000}");
        for minute in 0..100 {
            let names = (0..1_000).flat_map(|number| batch(minute, &name(number), 1).durations);
            dropped += backlog.push(Batch { durations: names.collect(), ..Batch::default() });
        }
        let kept = take_all(&mut backlog);
        assert!(kept.iter().all(|batch| batch.durations.len() <= 20_000));
        let transactions: usize = kept.iter().map(Batch::transactions).sum();
        assert_eq!(transactions as u64 + dropped.transactions, 100_000);
        assert!((20_000..70_000).contains(&transactions), "{transactions}");
    }
}

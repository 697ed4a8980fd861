//! The batches that wait for the server, within their bounds.

use std::collections::VecDeque;

use super::load::Load;
use crate::pipeline::Batch;
use crate::record::Drops;

/// Transactions that wait, at the most, and the memory that their counts take: many names need more of it.
const MAX_TRANSACTIONS: usize = 2_000_000;
const MAX_BYTES: usize = 64 << 20;

/// Samples and errors that wait, at the most. They are large, and old ones tell less than new ones.
const MAX_SAMPLES: usize = 1_000;
const MAX_ERRORS: usize = 1_000;

/// The batches that wait: the one that an attempt has failed for, and those that nobody has seen yet.
///
/// The former stays as it is, since the server may have taken it although no answer came: it tells a repeated delivery by
/// its id. To the newest of the latter is added what comes, so that an outage makes few batches, however often it is
/// flushed.
#[derive(Default)]
pub(super) struct Backlog {
    attempted: Option<Load>,
    fresh: VecDeque<Load>,
}

impl Backlog {
    /// Adds what a batch holds. Returns what was given up to make room: the oldest that nobody has seen.
    pub(super) fn push(&mut self, mut batch: Batch) -> Drops {
        let mut durations = std::mem::take(&mut batch.durations);
        while !durations.is_empty() {
            self.newest(Load::has_room).count(&mut durations);
        }
        self.newest(|_| true).add(batch);
        self.make_room()
    }

    /// Puts back what could not be delivered.
    pub(super) fn put_back(&mut self, batch: Batch) {
        self.attempted = Some(Load::of(batch));
    }

    /// Takes out the batch that is to be delivered next: the oldest.
    pub(super) fn next(&mut self) -> Option<Batch> {
        self.attempted.take().or_else(|| self.fresh.pop_front()).map(Load::into_batch)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.attempted.is_none() && self.fresh.is_empty()
    }

    /// Gives up everything. Returns what it was.
    pub(super) fn clear(&mut self) -> Drops {
        let mut lost = Drops::default();
        while let Some(batch) = self.next() {
            lost += batch.contents();
        }
        lost
    }

    /// Returns the newest batch that nobody has seen, if it suits, or else a new one.
    fn newest(&mut self, suits: impl Fn(&Load) -> bool) -> &mut Load {
        if !self.fresh.back().is_some_and(suits) {
            self.fresh.push_back(Load::of(Batch { id: fastrand::u128(..), ..Batch::default() }));
        }
        self.fresh.back_mut().expect("one was there, or has just been added")
    }

    fn make_room(&mut self) -> Drops {
        let mut lost = self.thin_out();
        let all = || self.attempted.iter().chain(&self.fresh);
        let mut transactions: usize = all().map(Load::transactions).sum();
        let mut bytes: usize = all().map(Load::bytes).sum();
        while self.fresh.len() > 1 && (transactions > MAX_TRANSACTIONS || bytes > MAX_BYTES) {
            let Some(oldest) = self.fresh.pop_front() else { break };
            transactions -= oldest.transactions();
            bytes -= oldest.bytes();
            let oldest = oldest.into_batch();
            lost += oldest.contents();
            self.newest(|_| true).add(Batch { drops: oldest.drops, ..Batch::default() });
        }
        lost
    }

    /// Gives up the oldest samples and errors, as far as there are too many.
    fn thin_out(&mut self) -> Drops {
        let (mut samples, mut errors, mut lost) = (MAX_SAMPLES, MAX_ERRORS, Drops::default());
        for load in self.fresh.iter_mut().rev() {
            lost += load.thin_out(&mut samples, &mut errors);
        }
        lost
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
        let group = DurationGroup { minute, name: name.to_owned(), kind: "".into(), result: "ok".into(), milliseconds };
        Batch { durations: vec![group], ..Batch::default() }
    }

    fn everything(backlog: &mut Backlog) -> Vec<Batch> {
        std::iter::from_fn(|| backlog.next()).collect()
    }

    #[test]
    fn what_comes_is_added_to_what_nobody_has_seen() {
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
            everything(&mut backlog).iter().map(|batch| (batch.id == id, batch.transactions())).collect();
        assert_eq!(counts, [(true, 40), (false, 5)], "what was tried stays as it was");
    }

    #[test]
    fn what_is_beyond_the_bound_is_counted_exactly() {
        let (mut backlog, mut lost) = (Backlog::default(), Drops::default());
        let drops = Drops { spans: 1, ..Drops::default() };
        for minute in 0..30 {
            lost += backlog.push(Batch { drops, ..batch(minute, "test", 90_000) });
        }
        let kept = everything(&mut backlog);
        let transactions: usize = kept.iter().map(Batch::transactions).sum();
        assert_eq!(transactions as u64 + lost.transactions, 30 * 90_000);
        assert!((1_800_000..=MAX_TRANSACTIONS).contains(&transactions), "{transactions}");
        assert_eq!(
            kept.iter().map(|batch| batch.drops.spans).sum::<u64>(),
            30,
            "what was lost before is told all the same"
        );
    }

    #[test]
    fn many_names_are_bounded_by_their_memory() {
        let (mut backlog, mut lost) = (Backlog::default(), Drops::default());
        let name = |number: u64| format!("{number:0>1000}");
        for minute in 0..100 {
            let names = (0..1_000).flat_map(|number| batch(minute, &name(number), 1).durations);
            lost += backlog.push(Batch { durations: names.collect(), ..Batch::default() });
        }
        let kept = everything(&mut backlog);
        assert!(kept.iter().all(|batch| batch.durations.len() <= 20_000));
        let transactions: usize = kept.iter().map(Batch::transactions).sum();
        assert_eq!(transactions as u64 + lost.transactions, 100_000);
        assert!((20_000..70_000).contains(&transactions), "{transactions}");
    }
}

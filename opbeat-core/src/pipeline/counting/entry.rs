//! The counts of one name and kind.

use std::mem;

use super::minute::Minute;
use super::samples::{SampleKind, Samples};
use super::totals::Totals;
use crate::record::TransactionRecord;

/// The counts of one name and kind.
pub(super) struct Entry {
    is_ignored: bool,
    was_seen: bool,
    /// The last minute in which a transaction was counted.
    pub(super) last_minute: u64,
    pub(super) minutes: Vec<Minute>,
    pub(super) samples: Samples,
}

impl Entry {
    /// Makes the counts of a new name, of which this number of random samples is kept.
    pub(super) fn new(is_ignored: bool, samples: usize) -> Self {
        let samples = Samples::new(samples);
        Self { is_ignored, was_seen: false, last_minute: 0, minutes: Vec::new(), samples }
    }

    #[inline]
    pub(super) fn add(&mut self, record: &TransactionRecord, minute: u64, totals: &mut Totals) -> Option<SampleKind> {
        if self.is_ignored {
            return None;
        }
        let index = self.minute_index(minute, totals);
        self.minutes[index].add(record, &mut totals.self_times);
        totals.transactions += 1;
        let is_first = !mem::replace(&mut self.was_seen, true);
        self.samples.choose(record, is_first, totals.has_room_for_samples())
    }

    /// Returns whether there is nothing to drain. A sample may arrive after its count was drained.
    pub(super) fn is_empty(&self) -> bool {
        self.minutes.is_empty() && self.samples.is_empty()
    }

    /// Offers a sample that another shard kept.
    pub(super) fn offer(&mut self, sample: Box<TransactionRecord>, totals: &mut Totals) {
        let is_first = !mem::replace(&mut self.was_seen, true);
        let has_room = totals.has_room_for_samples();
        if let Some(kind) = self.samples.choose(&sample, is_first, has_room) {
            totals.samples += usize::from(self.samples.keep(kind, sample, has_room));
        }
    }

    /// Returns the index of a minute's counts, and adds them if they are missing. There are two minutes when an
    /// interval crosses a full minute, and more in an outage.
    #[inline]
    pub(super) fn minute_index(&mut self, start: u64, totals: &mut Totals) -> usize {
        match self.minutes.last() {
            Some(last) if last.start == start => self.minutes.len() - 1,
            _ => self.other_minute_index(start, totals),
        }
    }

    #[cold]
    fn other_minute_index(&mut self, start: u64, totals: &mut Totals) -> usize {
        let found = self.minutes.iter().rposition(|minute| minute.start == start);
        found.unwrap_or_else(|| {
            totals.minutes += 1;
            self.last_minute = self.last_minute.max(start);
            self.minutes.push(Minute::new(start));
            self.minutes.len() - 1
        })
    }
}

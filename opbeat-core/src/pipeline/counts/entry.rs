//! What is known of one name and kind.

use std::mem;

use super::Totals;
use super::minute::Minute;
use super::slots::{Slot, Slots};
use crate::record::TransactionRecord;

/// What is known of one name and kind.
#[derive(Default)]
pub(super) struct Entry {
    is_ignored: bool,
    was_seen: bool,
    /// The last minute that something was counted in.
    pub(super) last_minute: u64,
    pub(super) minutes: Vec<Minute>,
    pub(super) slots: Slots,
}

impl Entry {
    pub(super) fn new(is_ignored: bool) -> Self {
        Self { is_ignored, ..Self::default() }
    }

    #[inline]
    pub(super) fn add(&mut self, record: &TransactionRecord, minute: u64, totals: &mut Totals) -> Option<Slot> {
        if self.is_ignored {
            return None;
        }
        let index = self.minute_index(minute, totals);
        self.minutes[index].add(record, &mut totals.self_times);
        totals.transactions += 1;
        let is_first = !mem::replace(&mut self.was_seen, true);
        self.slots.choose(record, is_first, totals.has_room())
    }

    /// Returns whether there is something to move. A sample may come when its count is gone already.
    pub(super) fn holds_something(&self) -> bool {
        !self.minutes.is_empty() || !self.slots.is_empty()
    }

    /// Offers a sample that was kept elsewhere.
    pub(super) fn offer(&mut self, sample: Box<TransactionRecord>, totals: &mut Totals) {
        let is_first = !mem::replace(&mut self.was_seen, true);
        let has_room = totals.has_room();
        if let Some(slot) = self.slots.choose(&sample, is_first, has_room) {
            totals.samples += usize::from(self.slots.keep(slot, sample, has_room));
        }
    }

    /// Finds a minute's group or makes it. There are two at a minute's turn, and more in an outage.
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

//! The counts of all transactions of some threads, by name and kind.

use std::collections::HashMap;
use std::mem;

use foldhash::fast::RandomState;

use super::clock::Clock;
use super::entry::Entry;
use super::key::Key;
use super::samples::SampleKind;
use super::totals::Totals;
use crate::clock::Instant;
use crate::pipeline::settings::Settings;
use crate::record::{BreakdownRecord, Drops, DurationGroup, TransactionRecord};

/// The largest number of different names that are counted. Further names are counted under [`OTHER_NAMES`]: names that
/// contain an id must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The name of transactions beyond [`MAX_NAMES`].
const OTHER_NAMES: &str = "(other names)";

/// The number of minutes after which an unseen name is removed, if there are too many names.
const REMOVED_AFTER: u64 = 10;

/// The durations of all transactions, their time by kind of span, and samples of them.
pub(in crate::pipeline) struct Counts {
    clock: Clock,
    /// Names are kept from interval to interval, because most come again.
    names: HashMap<Key, Entry, RandomState>,
    /// The number of keys whose name is not [`OTHER_NAMES`].
    known: usize,
    totals: Totals,
    /// The number of transactions that have ended since the start, ignored ones included.
    pub(super) ended: u64,
}

impl Default for Counts {
    fn default() -> Self {
        Self { clock: Clock::now(), names: HashMap::default(), known: 0, totals: Totals::default(), ended: 0 }
    }
}

impl Counts {
    /// Counts a transaction, under [`OTHER_NAMES`] if there are too many names. Returns where to keep it if it is to be
    /// a sample.
    #[inline]
    pub(super) fn add(
        &mut self,
        record: &mut TransactionRecord,
        started: Instant,
        settings: &Settings,
    ) -> Option<(Key, SampleKind)> {
        if settings.ignore.matches_user_agent(record) {
            return None;
        }
        self.totals.drops.spans += u64::from(record.dropped_spans);
        // The key takes the record's name and kind and gives them back, because nearly all keys are known already.
        let mut key = Key { name: mem::take(&mut record.name), kind: mem::take(&mut record.kind) };
        let minute = self.clock.minute_at(started);
        let kind = match self.names.get_mut(&key) {
            Some(entry) => entry.add(record, minute, &mut self.totals),
            None => {
                key = self.add_name(key, settings);
                self.names.get_mut(&key).and_then(|entry| entry.add(record, minute, &mut self.totals))
            }
        };
        let position = kind.map(|kind| {
            record.started_at = self.clock.at(started);
            (key.clone(), kind)
        });
        (record.name, record.kind) = (key.name, key.kind);
        position
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&mut self, key: &Key, kind: SampleKind, record: TransactionRecord) {
        let has_room = self.totals.has_room_for_samples();
        if let Some(entry) = self.names.get_mut(key) {
            self.totals.samples += usize::from(entry.samples.keep(kind, Box::new(record), has_room));
        }
    }

    /// Returns the drops since the last call: spans beyond a transaction's limit, and counts that no worker drained.
    pub(in crate::pipeline) fn take_drops(&mut self) -> Drops {
        mem::take(&mut self.totals.drops)
    }

    /// Returns whether the counts have reached the size at which they are delivered before the interval ends.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.totals.is_full()
    }

    /// Drops everything, and counts the drops, if no worker has drained it for far too long.
    #[cold]
    pub(super) fn drop_if_abandoned(&mut self) {
        if !self.totals.is_abandoned() {
            return;
        }
        let (transactions, mut drops) = (self.totals.transactions as u64, self.take_drops());
        let (_, _, samples) = self.take();
        drops += Drops { transactions, samples: samples.len() as u64, ..Drops::default() };
        self.totals.drops = drops;
    }

    /// Moves the counts and samples into `total`. The names stay. Both use the new clock from now on.
    pub(super) fn drain_into(&mut self, total: &mut Self, clock: Clock, settings: &Settings) {
        (self.clock, total.clock) = (clock, clock);
        for (key, entry) in self.names.iter_mut().filter(|(_, entry)| !entry.is_empty()) {
            total.merge(key, entry, settings);
        }
        total.totals.transactions += self.totals.transactions;
        total.totals.drops += self.totals.drops;
        self.totals = Totals::default();
        self.remove_unseen_names();
    }

    fn merge(&mut self, key: &Key, other: &mut Entry, settings: &Settings) {
        let key = self.add_name(key.clone(), settings);
        let Some(entry) = self.names.get_mut(&key) else { return };
        for minute in other.minutes.drain(..) {
            let index = entry.minute_index(minute.start, &mut self.totals);
            entry.minutes[index].merge(minute);
        }
        for sample in other.samples.take_chosen() {
            entry.offer(sample, &mut self.totals);
        }
        let has_room = self.totals.has_room_for_samples();
        self.totals.samples += entry.samples.add_random(other.samples.take_random(), has_room);
    }

    /// Takes out the counts and samples. The names stay.
    pub(in crate::pipeline) fn take(&mut self) -> (Vec<DurationGroup>, Vec<BreakdownRecord>, Vec<TransactionRecord>) {
        let (mut durations, mut breakdown, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for (key, entry) in &mut self.names {
            for minute in entry.minutes.drain(..) {
                minute.split(&key.name, &key.kind, &mut durations, &mut breakdown);
            }
            samples.extend(entry.samples.take().map(|sample| *sample));
        }
        self.totals = Totals::default();
        self.remove_unseen_names();
        // The order is fixed, so that bodies can be compared.
        durations.sort_by(|a, b| (a.minute, &a.name).cmp(&(b.minute, &b.name)));
        breakdown.sort_by(|a, b| (a.minute, &a.name, &a.span_kind).cmp(&(b.minute, &b.name, &b.span_kind)));
        (durations, breakdown, samples)
    }

    /// Adds a name if it is new. Returns the key to count under: [`OTHER_NAMES`] if there are too many names. If there
    /// are too many names, an ignored one is returned without adding it.
    #[cold]
    fn add_name(&mut self, mut key: Key, settings: &Settings) -> Key {
        if self.names.contains_key(&key) {
            return key;
        }
        let is_ignored = settings.ignore.matches_name(&key.name.to_string());
        if self.known < MAX_NAMES {
            self.known += usize::from(key.name != OTHER_NAMES.into());
        } else if is_ignored {
            return key;
        } else {
            key.name = OTHER_NAMES.into();
        }
        if self.names.len() >= 2 * MAX_NAMES {
            // The map only gets this large if the kinds differ each time, too.
            key.kind = "other".into();
        }
        let samples = settings.samples.of(&key.name.to_string());
        self.names.entry(key.clone()).or_insert_with(|| Entry::new(is_ignored, samples));
        key
    }

    /// Removes unseen names if there are too many: unusual names must not hide others until the next start.
    fn remove_unseen_names(&mut self) {
        if self.known < MAX_NAMES {
            return;
        }
        let now = self.clock.minute();
        self.names.retain(|_, entry| !entry.is_empty() || entry.last_minute + REMOVED_AFTER > now);
        self.known = self.names.keys().filter(|key| key.name != OTHER_NAMES.into()).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings::ignoring(&["GET /healthz".to_owned()])
    }

    /// Counts transactions of these names, and returns the names that they are counted under.
    fn count(counts: &mut Counts, names: &[&str]) -> Vec<String> {
        for name in names {
            let mut record = TransactionRecord { name: (*name).to_owned().into(), ..TransactionRecord::default() };
            counts.add(&mut record, Instant::now(), &settings());
        }
        counts.take().0.into_iter().map(|group| group.name).collect()
    }

    #[test]
    fn unseen_names_make_room_for_new_ones() {
        let mut counts = Counts::default();
        let odd: Vec<String> = (0..MAX_NAMES).map(|number| format!("odd {number}")).collect();
        assert_eq!(count(&mut counts, &odd.iter().map(String::as_str).collect::<Vec<_>>()).len(), MAX_NAMES);
        let counted = count(&mut counts, &["GET /books", "GET /healthz"]);
        assert_eq!(counted, [OTHER_NAMES], "an ignored name is not counted");
        counts.names.values_mut().for_each(|entry| entry.last_minute -= REMOVED_AFTER);
        assert_eq!(count(&mut counts, &[]), [""; 0]);
        assert_eq!(count(&mut counts, &["GET /books", "GET /healthz"]), ["GET /books"]);
    }
}

//! Every transaction counted, exactly, and some of them kept whole.

mod entry;
mod key;
mod minute;
mod self_time;
mod slots;

use std::collections::HashMap;
use std::mem;
use std::time::Instant;

use foldhash::fast::RandomState;

use self::entry::Entry;
use self::key::Key;
use self::self_time::SelfTimes;
use self::slots::Slot;
use super::{Clock, Settings};
use crate::record::{BreakdownRecord, Drops, DurationGroup, TransactionRecord};

/// More different names than this are counted under [`OTHER_NAMES`]: a name with an id in it must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The name of transactions beyond [`MAX_NAMES`].
const OTHER_NAMES: &str = "(other names)";

/// So many transactions, or minutes of names, are delivered before their time.
const MAX_TRANSACTIONS: usize = 50_000;
const MAX_MINUTES: usize = 2_000;

/// So many are given up, since nobody takes them over: the worker hangs, or the process is a fork, which has no threads of
/// ours.
const LOST_TRANSACTIONS: usize = 500_000;
const LOST_MINUTES: usize = 20_000;

/// A name that is not seen for so many minutes makes room for others, where there are too many.
const FORGOTTEN: u64 = 10;

/// How many samples an interval keeps in all, however many names there are.
const MAX_SAMPLES: usize = 200;

/// The durations of all transactions, where their time went, and samples of them.
pub(super) struct Counts {
    clock: Clock,
    /// Names stay from interval to interval: most come again.
    names: HashMap<Key, Entry, RandomState>,
    /// How many of them are names of their own.
    known: usize,
    totals: Totals,
}

impl Default for Counts {
    fn default() -> Self {
        Self { clock: Clock::now(), names: HashMap::default(), known: 0, totals: Totals::default() }
    }
}

/// How much there is of all names together.
#[derive(Default)]
struct Totals {
    transactions: usize,
    minutes: usize,
    samples: usize,
    drops: Drops,
    self_times: SelfTimes,
}

/// Where a transaction is to be kept.
pub(super) struct Place {
    key: Key,
    slot: Slot,
}

impl Counts {
    /// Counts a transaction, and folds its name if there are too many. Returns its place if it is to be kept whole.
    #[inline]
    pub(super) fn add(
        &mut self,
        record: &mut TransactionRecord,
        started: Instant,
        settings: &Settings,
    ) -> Option<Place> {
        if settings.ignore.user_agent(record) {
            return None;
        }
        self.totals.drops.spans += u64::from(record.dropped_spans);
        // The record's parts are borrowed for the key and given back, since nearly all keys are known.
        let mut key = Key { name: mem::take(&mut record.name), kind: mem::take(&mut record.kind) };
        let minute = self.clock.minute_at(started);
        let slot = match self.names.get_mut(&key) {
            Some(entry) => entry.add(record, minute, &mut self.totals),
            None => {
                key = self.make_known(key, settings);
                self.names.get_mut(&key).and_then(|entry| entry.add(record, minute, &mut self.totals))
            }
        };
        let place = slot.map(|slot| {
            record.started_at = self.clock.at(started);
            Place { key: key.clone(), slot }
        });
        (record.name, record.kind) = (key.name, key.kind);
        place
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&mut self, place: &Place, record: TransactionRecord) {
        let has_room = self.totals.has_room();
        if let Some(entry) = self.names.get_mut(&place.key) {
            self.totals.samples += usize::from(entry.slots.keep(place.slot, Box::new(record), has_room));
        }
    }

    /// Returns what was left out since the last call: spans of transactions that had too many, and what was given up.
    pub(super) fn take_drops(&mut self) -> Drops {
        mem::take(&mut self.totals.drops)
    }

    /// Returns whether so much is counted that it is delivered before its time.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.totals.transactions >= MAX_TRANSACTIONS || self.totals.minutes >= MAX_MINUTES
    }

    /// Gives up what is here, and counts it, if nobody has taken it over for far too long.
    #[cold]
    pub(super) fn give_up_if_left(&mut self) {
        if self.totals.transactions < LOST_TRANSACTIONS && self.totals.minutes < LOST_MINUTES {
            return;
        }
        let (transactions, mut drops) = (self.totals.transactions as u64, self.take_drops());
        let (_, _, samples) = self.take();
        drops += Drops { transactions, samples: samples.len() as u64, ..Drops::default() };
        self.totals.drops = drops;
    }

    /// Moves what was counted and kept here to another place. The names stay, and time is told by a new clock.
    pub(super) fn drain_into(&mut self, total: &mut Self, clock: Clock, settings: &Settings) {
        (self.clock, total.clock) = (clock, clock);
        for (key, entry) in self.names.iter_mut().filter(|(_, entry)| entry.holds_something()) {
            total.merge(key, entry, settings);
        }
        total.totals.transactions += self.totals.transactions;
        total.totals.drops += self.totals.drops;
        self.totals = Totals::default();
        self.forget_names();
    }

    fn merge(&mut self, key: &Key, other: &mut Entry, settings: &Settings) {
        let key = self.make_known(key.clone(), settings);
        let Some(entry) = self.names.get_mut(&key) else { return };
        for minute in other.minutes.drain(..) {
            let index = entry.minute_index(minute.start, &mut self.totals);
            entry.minutes[index].merge(minute);
        }
        let (candidates, samples) = other.slots.take();
        for sample in samples {
            entry.offer(sample, &mut self.totals);
        }
        entry.slots.add_candidates(candidates);
    }

    /// Moves out what was counted and kept. The names stay.
    pub(super) fn take(&mut self) -> (Vec<DurationGroup>, Vec<BreakdownRecord>, Vec<TransactionRecord>) {
        let (mut durations, mut breakdown, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for (key, entry) in &mut self.names {
            for minute in entry.minutes.drain(..) {
                minute.split(&key.name, &key.kind, &mut durations, &mut breakdown);
            }
            samples.extend(entry.slots.take().1.map(|sample| *sample));
        }
        self.totals = Totals::default();
        self.forget_names();
        // One order, so that bodies can be compared.
        durations.sort_by(|a, b| (a.minute, &a.name).cmp(&(b.minute, &b.name)));
        breakdown.sort_by(|a, b| (a.minute, &a.name, &a.span_kind).cmp(&(b.minute, &b.name, &b.span_kind)));
        (durations, breakdown, samples)
    }

    /// Notes a name, and folds it if there are too many. One that is not recorded is not folded: it needs no place.
    #[cold]
    fn make_known(&mut self, mut key: Key, settings: &Settings) -> Key {
        if self.names.contains_key(&key) {
            return key;
        }
        let is_ignored = settings.ignore.name(&key.name.to_string());
        if self.known < MAX_NAMES {
            self.known += usize::from(key.name != OTHER_NAMES.into());
        } else if is_ignored {
            return key;
        } else {
            key.name = OTHER_NAMES.into();
        }
        if self.names.len() >= 2 * MAX_NAMES {
            // Even the kinds differ each time.
            key.kind = "other".into();
        }
        self.names.entry(key.clone()).or_insert_with(|| Entry::new(is_ignored));
        key
    }

    /// Makes room where there are too many names: odd ones must not hide others until the next start.
    fn forget_names(&mut self) {
        if self.known < MAX_NAMES {
            return;
        }
        let now = self.clock.minute();
        self.names.retain(|_, entry| entry.holds_something() || entry.last_minute + FORGOTTEN > now);
        self.known = self.names.keys().filter(|key| key.name != OTHER_NAMES.into()).count();
    }
}

impl Totals {
    fn has_room(&self) -> bool {
        self.samples < MAX_SAMPLES
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::pipeline::Ignore;
    use opbeat_secrets::Secrets;

    fn settings() -> Settings {
        let (flush_interval, blocking_threshold) = (Duration::from_secs(5), u64::MAX);
        let (ignore, secrets) = (Ignore::new(&["GET /healthz".to_owned()], &[]), Secrets::new::<&str>([]));
        Settings { flush_interval, blocking_threshold, ignore, secrets }
    }

    /// Counts names, and returns what they are counted under.
    fn count(counts: &mut Counts, names: &[&str]) -> Vec<String> {
        for name in names {
            let mut record = TransactionRecord { name: (*name).to_owned().into(), ..TransactionRecord::default() };
            counts.add(&mut record, Instant::now(), &settings());
        }
        counts.take().0.into_iter().map(|group| group.name).collect()
    }

    #[test]
    fn names_that_are_not_seen_any_more_make_room_for_others() {
        let mut counts = Counts::default();
        let odd: Vec<String> = (0..MAX_NAMES).map(|number| format!("odd {number}")).collect();
        assert_eq!(count(&mut counts, &odd.iter().map(String::as_str).collect::<Vec<_>>()).len(), MAX_NAMES);
        assert_eq!(
            count(&mut counts, &["GET /books", "GET /healthz"]),
            [OTHER_NAMES],
            "what is ignored needs no place"
        );
        counts.names.values_mut().for_each(|entry| entry.last_minute -= FORGOTTEN);
        assert_eq!(count(&mut counts, &[]), [""; 0]);
        assert_eq!(count(&mut counts, &["GET /books", "GET /healthz"]), ["GET /books"]);
    }
}

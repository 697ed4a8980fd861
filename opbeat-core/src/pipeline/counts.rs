//! Every transaction counted, exactly, and some of them kept whole.

use std::borrow::Cow;
use std::collections::HashMap;
use std::mem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use foldhash::fast::RandomState;

use super::Settings;
use super::groups::Minute;
use super::samples::{Slot, Slots};
use super::self_time::SelfTimes;
use crate::record::{BreakdownRecord, DurationGroup, TransactionName, TransactionRecord};

/// More different names than this are counted under [`OTHER_NAMES`]: a name with an id in it must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The name of transactions beyond [`MAX_NAMES`].
const OTHER_NAMES: &str = "(other names)";

/// So many transactions, or minutes of names, are delivered before their time.
const MAX_TRANSACTIONS: usize = 50_000;
const MAX_MINUTES: usize = 2_000;

/// How many samples an interval keeps in all, however many names there are.
const MAX_SAMPLES: usize = 200;

/// The durations of all transactions, where their time went, and samples of them.
#[derive(Default)]
pub(super) struct Counts {
    /// Names stay from interval to interval: most come again.
    names: HashMap<Key, Entry, RandomState>,
    totals: Totals,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    name: TransactionName,
    kind: Cow<'static, str>,
}

/// What is known of one name and kind.
#[derive(Default)]
struct Entry {
    is_ignored: bool,
    was_seen: bool,
    minutes: Vec<Minute>,
    slots: Slots,
}

/// How much there is of all names together.
#[derive(Default)]
struct Totals {
    transactions: usize,
    minutes: usize,
    samples: usize,
    self_times: SelfTimes,
}

/// Where a transaction is to be kept.
pub(super) struct Place {
    key: Key,
    slot: Slot,
}

impl Counts {
    /// Counts a transaction, and folds its name if there are too many. Returns its place if it is to be kept whole.
    pub(super) fn add(&mut self, record: &mut TransactionRecord, settings: &Settings) -> Option<Place> {
        if settings.ignore.user_agent(record) {
            return None;
        }
        // The record's parts are borrowed for the key and given back, since nearly all keys are known.
        let mut key = Key { name: mem::take(&mut record.name), kind: mem::take(&mut record.kind) };
        let slot = match self.names.get_mut(&key) {
            Some(entry) => entry.add(record, &mut self.totals),
            None => {
                key = self.make_known(key, settings);
                self.names.get_mut(&key).and_then(|entry| entry.add(record, &mut self.totals))
            }
        };
        let place = slot.map(|slot| Place { key: key.clone(), slot });
        (record.name, record.kind) = (key.name, key.kind);
        place
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&mut self, place: &Place, record: TransactionRecord) {
        let has_room = self.totals.has_room();
        if let Some(entry) = self.names.get_mut(&place.key) {
            self.totals.samples += usize::from(entry.slots.keep(place.slot, record, has_room));
        }
    }

    /// Returns whether so much is counted that it is delivered before its time.
    pub(super) fn is_full(&self) -> bool {
        self.totals.transactions >= MAX_TRANSACTIONS || self.totals.minutes >= MAX_MINUTES
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: Self, settings: &Settings) {
        for (key, entry) in other.names {
            let key = self.make_known(key, settings);
            let Some(known) = self.names.get_mut(&key) else { continue };
            for minute in entry.minutes {
                known.minute(minute.start, &mut self.totals).merge(minute);
            }
        }
        self.totals.transactions += other.totals.transactions;
    }

    /// Moves out what was counted and kept. The names stay.
    pub(super) fn take(&mut self) -> (Vec<DurationGroup>, Vec<BreakdownRecord>, Vec<TransactionRecord>) {
        let (mut durations, mut breakdown, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for (key, entry) in &mut self.names {
            for minute in entry.minutes.drain(..) {
                minute.split(&key.name, &key.kind, &mut durations, &mut breakdown);
            }
            samples.extend(entry.slots.take());
        }
        self.totals = Totals::default();
        // One order, so that bodies can be compared.
        durations.sort_by(|a, b| (a.minute, &a.name).cmp(&(b.minute, &b.name)));
        breakdown.sort_by(|a, b| (a.minute, &a.name, &a.span_kind).cmp(&(b.minute, &b.name, &b.span_kind)));
        (durations, breakdown, samples)
    }

    /// Notes a name, and folds it if there are too many.
    fn make_known(&mut self, mut key: Key, settings: &Settings) -> Key {
        if self.names.contains_key(&key) {
            return key;
        }
        if self.names.len() >= MAX_NAMES {
            key.name = OTHER_NAMES.into();
        }
        if self.names.len() >= 2 * MAX_NAMES {
            // Even the kinds differ each time.
            key.kind = "other".into();
        }
        let is_ignored = settings.ignore.name(&key.name.to_string());
        self.names.entry(key.clone()).or_insert_with(|| Entry { is_ignored, ..Entry::default() });
        key
    }
}

impl Entry {
    fn add(&mut self, record: &TransactionRecord, totals: &mut Totals) -> Option<Slot> {
        if self.is_ignored {
            return None;
        }
        let index = self.minute_index(minute_of(record.started_at), totals);
        self.minutes[index].add(record, &mut totals.self_times);
        totals.transactions += 1;
        let is_first = !mem::replace(&mut self.was_seen, true);
        self.slots.choose(record, is_first, totals.has_room())
    }

    fn minute(&mut self, start: u64, totals: &mut Totals) -> &mut Minute {
        let index = self.minute_index(start, totals);
        &mut self.minutes[index]
    }

    /// Finds a minute's group or makes it. There are two at a minute's turn, and more in an outage.
    fn minute_index(&mut self, start: u64, totals: &mut Totals) -> usize {
        let found = self.minutes.iter().rposition(|minute| minute.start == start);
        found.unwrap_or_else(|| {
            totals.minutes += 1;
            self.minutes.push(Minute::new(start));
            self.minutes.len() - 1
        })
    }
}

impl Totals {
    fn has_room(&self) -> bool {
        self.samples < MAX_SAMPLES
    }
}

/// Returns a point's minute, counted from 1970. What lies before counts as 1970.
fn minute_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since: Duration| since.as_secs() / 60)
}

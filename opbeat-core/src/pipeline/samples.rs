//! Some transactions with their spans.

use std::collections::{HashMap, HashSet};
use std::mem;

use crate::record::{TransactionName, TransactionRecord};

/// How many failed transactions of a name are kept in an interval.
const FAILED: usize = 3;

/// How many samples an interval keeps in all, however many names there are.
const MAX_SAMPLES: usize = 200;

/// Names remembered as seen before; beyond, a name counts as seen.
const MAX_SEEN: usize = 1_000;

/// The samples of an interval: of each name the failed, the slowest, the first ever seen, and a random one.
#[derive(Default)]
pub(super) struct Samples {
    slots: HashMap<TransactionName, Slots>,
    seen: HashSet<TransactionName>,
    kept: usize,
}

/// What is kept of one name.
#[derive(Default)]
struct Slots {
    first: Option<TransactionRecord>,
    failed: Vec<TransactionRecord>,
    slowest: Option<TransactionRecord>,
    random: Option<TransactionRecord>,
    /// How many transactions could have become the random one.
    candidates: u64,
}

impl Samples {
    /// Offers a transaction. It is kept, or dropped.
    pub(super) fn offer(&mut self, record: TransactionRecord) {
        let has_room = self.kept < MAX_SAMPLES;
        if let Some(slots) = self.slots.get_mut(&record.name) {
            self.kept += usize::from(slots.offer(record, false, has_room));
            return;
        }
        let is_first = self.seen.len() < MAX_SEEN && self.note(&record.name);
        if !has_room {
            return;
        }
        let slots = self.slots.entry(record.name.clone()).or_default();
        self.kept += usize::from(slots.offer(record, is_first, has_room));
    }

    /// Moves the samples out. Which names were seen stays known.
    pub(super) fn take(&mut self) -> Vec<TransactionRecord> {
        self.kept = 0;
        mem::take(&mut self.slots).into_values().flat_map(Slots::into_records).collect()
    }

    /// Returns whether the name is new.
    fn note(&mut self, name: &TransactionName) -> bool {
        !self.seen.contains(name) && self.seen.insert(name.clone())
    }
}

impl Slots {
    /// Returns whether there is one more sample now; one may also take another's place.
    fn offer(&mut self, record: TransactionRecord, is_first: bool, has_room: bool) -> bool {
        if has_room && is_first {
            self.first = Some(record);
            return true;
        }
        if has_room && record.outcome.is_failure() && self.failed.len() < FAILED {
            self.failed.push(record);
            return true;
        }
        match &mut self.slowest {
            Some(slowest) if slowest.duration < record.duration => {
                let slower = mem::replace(slowest, record);
                self.offer_random(slower, has_room)
            }
            Some(_) => self.offer_random(record, has_room),
            None if has_room => {
                self.slowest = Some(record);
                true
            }
            None => false,
        }
    }

    /// Keeps each candidate with the same probability: reservoir sampling, Vitter's algorithm R with room for one.
    fn offer_random(&mut self, record: TransactionRecord, has_room: bool) -> bool {
        self.candidates += 1;
        let is_new = self.random.is_none();
        if (is_new && !has_room) || fastrand::u64(..self.candidates) != 0 {
            return false;
        }
        self.random = Some(record);
        is_new
    }

    fn into_records(self) -> impl Iterator<Item = TransactionRecord> {
        self.first.into_iter().chain(self.failed).chain(self.slowest).chain(self.random)
    }
}

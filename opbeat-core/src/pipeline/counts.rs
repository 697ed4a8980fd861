//! Every transaction counted, exactly.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::mem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::self_time;
use crate::record::{BreakdownRecord, DurationGroup, TransactionName, TransactionRecord, TransactionResult};

/// More different names than this are counted under [`OTHER_NAMES`]: a name with an id in it must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The name of transactions beyond [`MAX_NAMES`].
const OTHER_NAMES: &str = "(other names)";

/// More different groups than this, by kinds that differ each time, are counted together.
const MAX_GROUPS: usize = 10_000;

/// A group's different results, and its kinds of spans, beyond this many are counted together.
const MAX_PARTS: usize = 100;

/// What stands for kinds and results beyond the bounds.
const OTHER: &str = "other";

/// The durations of all transactions, and where their time went.
#[derive(Default)]
pub(super) struct Counts {
    groups: HashMap<GroupKey, Group>,
    names: HashSet<TransactionName>,
    total: usize,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct GroupKey {
    minute: u64,
    name: TransactionName,
    kind: Cow<'static, str>,
}

/// Transactions of one minute, name and kind. Results and kinds of spans are few, so that a search is faster than a map.
#[derive(Default)]
struct Group {
    durations: Vec<(TransactionResult, Vec<f32>)>,
    breakdown: Vec<(Cow<'static, str>, SelfTime)>,
}

#[derive(Clone, Copy, Default)]
struct SelfTime {
    count: u64,
    total: Duration,
}

impl Counts {
    /// Counts a transaction, and folds its name if there are too many.
    pub(super) fn add(&mut self, record: &mut TransactionRecord) {
        self.total += 1;
        // The record's parts are borrowed for the key and given back, since nearly all keys are known.
        let key = GroupKey {
            minute: minute_of(record.started_at),
            name: mem::take(&mut record.name),
            kind: mem::take(&mut record.kind),
        };
        let is_known = self.groups.get_mut(&key).map(|group| group.add(record)).is_some();
        let key = if is_known { key } else { self.add_first(key, record) };
        (record.name, record.kind) = (key.name, key.kind);
    }

    /// Returns how many transactions are counted.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, group) in other.groups {
            let key = self.make_known(key);
            self.groups.entry(key).or_default().merge(group);
        }
        self.total += other.total;
    }

    /// Moves out what was counted. The known names stay.
    pub(super) fn take(&mut self) -> (Vec<DurationGroup>, Vec<BreakdownRecord>) {
        self.total = 0;
        let (mut durations, mut breakdown) = (Vec::new(), Vec::new());
        for (key, group) in self.groups.drain() {
            group.split(&key, &mut durations, &mut breakdown);
        }
        // One order, so that bodies can be compared.
        durations.sort_by(|a, b| (a.minute, &a.name).cmp(&(b.minute, &b.name)));
        breakdown.sort_by(|a, b| (a.minute, &a.name, &a.span_kind).cmp(&(b.minute, &b.name, &b.span_kind)));
        (durations, breakdown)
    }

    /// Counts a transaction whose group may not be there yet. Returns what it is counted under.
    fn add_first(&mut self, key: GroupKey, record: &TransactionRecord) -> GroupKey {
        let key = self.make_known(key);
        self.groups.entry(key.clone()).or_default().add(record);
        key
    }

    /// Notes a key's name, and folds the key if there are too many names or groups.
    fn make_known(&mut self, mut key: GroupKey) -> GroupKey {
        if !self.names.contains(&key.name) {
            if self.names.len() < MAX_NAMES {
                self.names.insert(key.name.clone());
            } else {
                key.name = OTHER_NAMES.into();
            }
        }
        if self.groups.len() >= MAX_GROUPS && !self.groups.contains_key(&key) {
            key = GroupKey { minute: key.minute, name: OTHER_NAMES.into(), kind: OTHER.into() };
        }
        key
    }
}

impl Group {
    fn add(&mut self, record: &TransactionRecord) {
        let milliseconds = record.duration.as_secs_f32() * 1_000.0;
        self.durations(&record.result).push(milliseconds);
        self_time::each(&record.spans, record.duration, |kind, time| {
            let sum = self.self_time(kind);
            sum.count += 1;
            sum.total += time;
        });
    }

    fn merge(&mut self, other: Self) {
        for (result, milliseconds) in other.durations {
            self.durations(&result).extend(milliseconds);
        }
        for (kind, more) in other.breakdown {
            let sum = self.self_time(&kind);
            sum.count += more.count;
            sum.total += more.total;
        }
    }

    fn durations(&mut self, result: &TransactionResult) -> &mut Vec<f32> {
        part(&mut self.durations, result, OTHER.into())
    }

    #[expect(clippy::ptr_arg, reason = "a kind that is a constant is cloned without an allocation")]
    fn self_time(&mut self, kind: &Cow<'static, str>) -> &mut SelfTime {
        part(&mut self.breakdown, kind, OTHER.into())
    }

    fn split(self, key: &GroupKey, durations: &mut Vec<DurationGroup>, breakdown: &mut Vec<BreakdownRecord>) {
        let minute = UNIX_EPOCH + Duration::from_secs(key.minute * 60);
        let (name, kind) = (key.name.to_string(), &key.kind);
        durations.extend(self.durations.into_iter().map(|(result, milliseconds)| DurationGroup {
            minute,
            name: name.clone(),
            kind: kind.clone(),
            result,
            milliseconds,
        }));
        breakdown.extend(self.breakdown.into_iter().map(|(span_kind, sum)| BreakdownRecord {
            minute,
            name: name.clone(),
            kind: kind.clone(),
            span_kind,
            count: sum.count,
            self_time: sum.total,
        }));
    }
}

/// Finds a part by its key, or makes one; beyond the bound, all new ones are the same.
fn part<'a, K: Clone + PartialEq, V: Default>(parts: &'a mut Vec<(K, V)>, key: &K, other: K) -> &'a mut V {
    let is_full = parts.len() >= MAX_PARTS;
    let found = parts.iter().position(|(known, _)| known == key);
    let found = found.or_else(|| is_full.then(|| parts.iter().position(|(known, _)| *known == other)).flatten());
    let index = found.unwrap_or_else(|| {
        parts.push((if is_full { other } else { key.clone() }, V::default()));
        parts.len() - 1
    });
    &mut parts[index].1
}

/// Returns a point's minute, counted from 1970. What lies before counts as 1970.
fn minute_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

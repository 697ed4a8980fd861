//! Every transaction counted, exactly.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::Hash;
use std::mem;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::self_time;
use crate::record::{BreakdownRecord, DurationGroup, TransactionName, TransactionRecord, TransactionResult};

/// More different names than this are counted under [`OTHER_NAMES`]: a name with an id in it must not fill the memory.
const MAX_NAMES: usize = 1_000;

/// The name of transactions beyond [`MAX_NAMES`].
const OTHER_NAMES: &str = "(other names)";

/// More different groups than this, by results that differ each time or kinds that do, are counted together.
const MAX_GROUPS: usize = 10_000;

/// What stands for results and kinds beyond [`MAX_GROUPS`].
const OTHER: &str = "other";

/// The durations of all transactions, and where their time went.
#[derive(Default)]
pub(super) struct Counts {
    durations: HashMap<DurationKey, Vec<f32>>,
    breakdown: HashMap<BreakdownKey, (u64, Duration)>,
    names: HashSet<TransactionName>,
    total: usize,
}

#[derive(PartialEq, Eq, Hash)]
struct DurationKey {
    minute: u64,
    name: TransactionName,
    kind: Cow<'static, str>,
    result: TransactionResult,
}

#[derive(PartialEq, Eq, Hash)]
struct BreakdownKey {
    minute: u64,
    name: TransactionName,
    kind: Cow<'static, str>,
    span_kind: Cow<'static, str>,
}

impl DurationKey {
    fn fold(self) -> Self {
        Self { result: OTHER.into(), ..self }
    }
}

impl BreakdownKey {
    fn fold(self) -> Self {
        Self { span_kind: OTHER.into(), ..self }
    }
}

/// Folds a new key if there are too many.
fn fold_beyond<K: Eq + Hash, V>(groups: &HashMap<K, V>, key: K, fold: fn(K) -> K) -> K {
    if groups.len() < MAX_GROUPS || groups.contains_key(&key) { key } else { fold(key) }
}

impl Counts {
    /// Counts a transaction, and folds its name if there are too many.
    pub(super) fn add(&mut self, record: &mut TransactionRecord) {
        self.fold_name(record);
        let minute = minute_of(record.started_at);
        self.add_duration(minute, record);
        self.add_breakdown(minute, record);
    }

    /// Returns how many transactions are counted.
    pub(super) fn total(&self) -> usize {
        self.total
    }

    /// Adds what was counted elsewhere.
    pub(super) fn merge(&mut self, other: Self) {
        for (key, milliseconds) in other.durations {
            let key = fold_beyond(&self.durations, key, DurationKey::fold);
            self.durations.entry(key).or_default().extend(milliseconds);
        }
        for (key, (count, self_time)) in other.breakdown {
            let key = fold_beyond(&self.breakdown, key, BreakdownKey::fold);
            let sum = self.breakdown.entry(key).or_default();
            *sum = (sum.0 + count, sum.1 + self_time);
        }
        self.names.extend(other.names);
        self.total += other.total;
    }

    /// Moves out what was counted. The known names stay.
    pub(super) fn take(&mut self) -> (Vec<DurationGroup>, Vec<BreakdownRecord>) {
        self.total = 0;
        let durations = mem::take(&mut self.durations).into_iter().map(duration_group);
        let breakdown = mem::take(&mut self.breakdown).into_iter().map(breakdown_record);
        let (mut durations, mut breakdown): (Vec<_>, Vec<_>) = (durations.collect(), breakdown.collect());
        // One order, so that bodies can be compared.
        durations.sort_by(|a, b| (a.minute, &a.name).cmp(&(b.minute, &b.name)));
        breakdown.sort_by(|a, b| (a.minute, &a.name, &a.span_kind).cmp(&(b.minute, &b.name, &b.span_kind)));
        (durations, breakdown)
    }

    fn fold_name(&mut self, record: &mut TransactionRecord) {
        if self.names.contains(&record.name) {
            return;
        }
        if self.names.len() < MAX_NAMES {
            self.names.insert(record.name.clone());
        } else {
            record.name = OTHER_NAMES.into();
        }
    }

    /// Borrows the record's parts for the key, and gives them back, since nearly all keys are known.
    fn add_duration(&mut self, minute: u64, record: &mut TransactionRecord) {
        self.total += 1;
        let milliseconds = record.duration.as_secs_f32() * 1_000.0;
        let key = DurationKey {
            minute,
            name: mem::take(&mut record.name),
            kind: mem::take(&mut record.kind),
            result: mem::take(&mut record.result),
        };
        let key = fold_beyond(&self.durations, key, DurationKey::fold);
        if let Some(durations) = self.durations.get_mut(&key) {
            durations.push(milliseconds);
            (record.name, record.kind, record.result) = (key.name, key.kind, key.result);
        } else {
            record.name.clone_from(&key.name);
            record.kind.clone_from(&key.kind);
            record.result.clone_from(&key.result);
            self.durations.insert(key, vec![milliseconds]);
        }
    }

    fn add_breakdown(&mut self, minute: u64, record: &TransactionRecord) {
        self_time::each(&record.spans, record.duration, |span_kind, time| {
            let key = BreakdownKey {
                minute,
                name: record.name.clone(),
                kind: record.kind.clone(),
                span_kind: span_kind.clone(),
            };
            let key = fold_beyond(&self.breakdown, key, BreakdownKey::fold);
            let sum = self.breakdown.entry(key).or_default();
            *sum = (sum.0 + 1, sum.1 + time);
        });
    }
}

/// Returns a point's minute, counted from 1970. What lies before counts as 1970.
fn minute_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

fn start_of(minute: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(minute * 60)
}

fn duration_group((key, milliseconds): (DurationKey, Vec<f32>)) -> DurationGroup {
    DurationGroup {
        minute: start_of(key.minute),
        name: key.name.to_string(),
        kind: key.kind,
        result: key.result,
        milliseconds,
    }
}

fn breakdown_record((key, (count, self_time)): (BreakdownKey, (u64, Duration))) -> BreakdownRecord {
    BreakdownRecord {
        minute: start_of(key.minute),
        name: key.name.to_string(),
        kind: key.kind,
        span_kind: key.span_kind,
        count,
        self_time,
    }
}

//! The transactions of one name, kind and minute.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use super::self_time::SelfTimes;
use crate::record::{BreakdownRecord, DurationGroup, TransactionName, TransactionRecord, TransactionResult};

/// A minute's different results, and its kinds of spans, beyond this many are counted together.
const MAX_PARTS: usize = 100;

/// What stands for kinds and results beyond the bounds.
const OTHER: &str = "other";

/// The transactions of one name, kind and minute. Results and kinds of spans are few, so that a search is faster than a
/// map.
pub(super) struct Minute {
    /// Minutes since 1970.
    pub(super) start: u64,
    durations: Vec<(TransactionResult, Vec<f32>)>,
    breakdown: Vec<(Cow<'static, str>, SelfTime)>,
}

#[derive(Clone, Copy, Default)]
struct SelfTime {
    count: u64,
    total: Duration,
}

impl Minute {
    pub(super) fn new(start: u64) -> Self {
        Self { start, durations: Vec::new(), breakdown: Vec::new() }
    }

    pub(super) fn add(&mut self, record: &TransactionRecord, self_times: &mut SelfTimes) {
        let milliseconds = record.duration.as_secs_f32() * 1_000.0;
        self.durations(&record.result).push(milliseconds);
        self_times.each(&record.spans, record.duration, |kind, time| {
            let sum = self.self_time(kind);
            sum.count += 1;
            sum.total += time;
        });
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (result, milliseconds) in other.durations {
            self.durations(&result).extend(milliseconds);
        }
        for (kind, more) in other.breakdown {
            let sum = self.self_time(&kind);
            sum.count += more.count;
            sum.total += more.total;
        }
    }

    /// Adds what was counted to what is delivered.
    #[expect(clippy::ptr_arg, reason = "a kind that is a constant is cloned without an allocation")]
    pub(super) fn split(
        self,
        name: &TransactionName,
        kind: &Cow<'static, str>,
        durations: &mut Vec<DurationGroup>,
        breakdown: &mut Vec<BreakdownRecord>,
    ) {
        let minute = UNIX_EPOCH + Duration::from_secs(self.start * 60);
        let name = name.to_string();
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

    fn durations(&mut self, result: &TransactionResult) -> &mut Vec<f32> {
        part(&mut self.durations, result, OTHER.into())
    }

    #[expect(clippy::ptr_arg, reason = "a kind that is a constant is cloned without an allocation")]
    fn self_time(&mut self, kind: &Cow<'static, str>) -> &mut SelfTime {
        part(&mut self.breakdown, kind, OTHER.into())
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

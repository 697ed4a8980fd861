//! The transactions of one name, kind and minute.

use std::borrow::Cow;
use std::time::{Duration, UNIX_EPOCH};

use super::self_time::{APP, SelfTimes};
use crate::record::{BreakdownRecord, DurationGroup, Durations, TransactionName, TransactionRecord, TransactionResult};

/// The largest number of different results, and of kinds of spans, in a minute. Further ones are counted together.
const MAX_PARTS: usize = 100;

/// The result, or kind of span, that further ones are counted under.
const OTHER: &str = "other";

/// The transactions of one name, kind and minute. There are few results and kinds of spans, so that a linear search is
/// faster than a map.
pub(super) struct Minute {
    /// The minute, counted from 1970.
    pub(super) start: u64,
    durations: Vec<(TransactionResult, Durations)>,
    /// The time outside of all spans, which every transaction has.
    app: SelfTime,
    breakdown: Vec<(Cow<'static, str>, SelfTime)>,
}

#[derive(Clone, Copy, Default)]
struct SelfTime {
    count: u64,
    total: Duration,
}

impl Minute {
    pub(super) fn new(start: u64) -> Self {
        Self { start, durations: Vec::new(), app: SelfTime::default(), breakdown: Vec::new() }
    }

    #[inline]
    pub(super) fn add(&mut self, record: &TransactionRecord, self_times: &mut SelfTimes) {
        self.durations(&record.result).push(record.duration, record.head);
        let of_app = if record.spans.is_empty() && record.dropped.is_empty() {
            record.duration
        } else {
            self_times.each(record, |kind, count, time| self.self_time(kind).add(count, time))
        };
        self.app.add(1, of_app);
    }

    pub(super) fn merge(&mut self, other: Self) {
        for (result, durations) in other.durations {
            self.durations(&result).append(durations);
        }
        self.app.add(other.app.count, other.app.total);
        for (kind, more) in other.breakdown {
            self.self_time(&kind).add(more.count, more.total);
        }
    }

    /// Adds the counts to the lists that are delivered.
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
        durations.extend(self.durations.into_iter().map(|(result, all)| DurationGroup {
            minute,
            name: name.clone(),
            kind: kind.clone(),
            result,
            milliseconds: all.milliseconds,
            head_milliseconds: all.head_milliseconds,
        }));
        let app = (Cow::Borrowed(APP), self.app);
        breakdown.extend(self.breakdown.into_iter().chain([app]).map(|(span_kind, sum)| BreakdownRecord {
            minute,
            name: name.clone(),
            kind: kind.clone(),
            span_kind,
            count: sum.count,
            self_time: sum.total,
        }));
    }

    #[inline]
    fn durations(&mut self, result: &TransactionResult) -> &mut Durations {
        part(&mut self.durations, result, OTHER.into())
    }

    #[expect(clippy::ptr_arg, reason = "a kind that is a constant is cloned without an allocation")]
    fn self_time(&mut self, kind: &Cow<'static, str>) -> &mut SelfTime {
        part(&mut self.breakdown, kind, OTHER.into())
    }
}

impl SelfTime {
    #[inline]
    fn add(&mut self, count: u64, time: Duration) {
        self.count += count;
        self.total += time;
    }
}

/// Returns the part with this key, and adds it if it is missing. Beyond the limit, all new keys share one part.
#[inline]
fn part<'a, K: Clone + PartialEq, V: Default>(parts: &'a mut Vec<(K, V)>, key: &K, other: K) -> &'a mut V {
    let is_first = parts.first().is_some_and(|(known, _)| known == key);
    let index = if is_first { 0 } else { other_part(parts, key, other) };
    &mut parts[index].1
}

fn other_part<K: Clone + PartialEq, V: Default>(parts: &mut Vec<(K, V)>, key: &K, other: K) -> usize {
    let is_full = parts.len() >= MAX_PARTS;
    let found = parts.iter().position(|(known, _)| known == key);
    let found = found.or_else(|| is_full.then(|| parts.iter().position(|(known, _)| *known == other)).flatten());
    found.unwrap_or_else(|| {
        parts.push((if is_full { other } else { key.clone() }, V::default()));
        parts.len() - 1
    })
}

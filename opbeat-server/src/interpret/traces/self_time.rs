//! Self times: the durations of a transaction's spans without the time of their direct children.

use std::collections::BTreeMap;

use super::groups::APP;
use crate::changes::SelfTime;

/// A span of a sampled transaction.
#[derive(Clone, Copy, Debug)]
pub(in crate::interpret) struct TimedSpan<'g> {
    pub(in crate::interpret) kind: &'g str,
    /// The number of spans that contain it.
    pub(in crate::interpret) depth: usize,
    /// The start in milliseconds after the start of the transaction.
    pub(in crate::interpret) start_ms: f64,
    /// The duration in milliseconds.
    pub(in crate::interpret) duration_ms: f64,
}

/// Returns the self time of each kind, and under [`APP`] the time that no span covers. They sum up to the duration.
///
/// Spans must be in the order of their start, parents before their children. A span counts only in the time of its
/// parent and of the transaction: clocks of agents jump. If spans ran at the same time, their self times are reduced
/// in proportion to the time that they cover together.
pub(in crate::interpret) fn by_kind<'g>(spans: &[TimedSpan<'g>], duration_ms: f64) -> BTreeMap<&'g str, SelfTime> {
    let whole = spans.len();
    // The last entry stands for the transaction.
    let mut intervals = vec![(0.0, duration_ms.max(0.0)); whole + 1];
    // The time that the children of each span cover.
    let mut covers = vec![Cover::default(); whole + 1];
    // The spans that contain the current one, the outermost first.
    let mut ancestors: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        ancestors.truncate(span.depth);
        let parent = ancestors.last().copied().unwrap_or(whole);
        let (first, last) = intervals[parent];
        let start = span.start_ms.max(first).min(last);
        let end = (span.start_ms + span.duration_ms.max(0.0)).max(start).min(last);
        intervals[index] = (start, end);
        covers[parent].add(start, end);
        ancestors.push(index);
    }
    let self_time = |index: usize| {
        let (start, end): (f64, f64) = intervals[index];
        (end - start - covers[index].total).max(0.0)
    };
    let sum: f64 = (0..whole).map(self_time).sum();
    let covered = covers[whole].total;
    let scale = if sum > covered { covered / sum } else { 1.0 };
    let mut kinds: BTreeMap<&str, SelfTime> = BTreeMap::new();
    for (index, span) in spans.iter().enumerate() {
        let part = SelfTime { count: 1, self_ms: self_time(index) * scale, samples: 0 };
        kinds.entry(span.kind).or_default().merge(part);
    }
    kinds.entry(APP).or_default().merge(SelfTime { count: 1, self_ms: self_time(whole), samples: 0 });
    kinds
}

/// The length of the union of intervals, which are added in the order of their start.
#[derive(Clone, Copy, Default)]
struct Cover {
    total: f64,
    until: f64,
}

impl Cover {
    fn add(&mut self, start: f64, end: f64) {
        self.total += (end - start.max(self.until)).max(0.0);
        self.until = self.until.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(spans: &[(&'static str, usize, f64, f64)], duration_ms: f64) -> Vec<(&'static str, f64)> {
        let timed = |&(kind, depth, start_ms, duration_ms)| TimedSpan { kind, depth, start_ms, duration_ms };
        let spans: Vec<TimedSpan<'static>> = spans.iter().map(timed).collect();
        by_kind(&spans, duration_ms).into_iter().map(|(kind, part)| (kind, part.self_ms)).collect()
    }

    #[test]
    fn children_are_not_counted_twice() {
        let spans = [("template", 0, 5.0, 30.0), ("db", 1, 10.0, 20.0)];
        assert_eq!(times(&spans, 40.0), [("app", 10.0), ("db", 20.0), ("template", 10.0)]);
    }

    #[test]
    fn a_span_counts_only_inside_of_its_parent_and_of_the_transaction() {
        let spans = [("db", 0, -5.0, 901_000.0), ("cache", 1, 8.0, 901_000.0)];
        assert_eq!(times(&spans, 9.0), [("app", 0.0), ("cache", 1.0), ("db", 8.0)]);
    }

    #[test]
    fn spans_at_the_same_time_share_it() {
        let spans = [("db", 0, 0.0, 10.0), ("ext", 0, 0.0, 10.0), ("ext", 0, 0.0, 10.0)];
        let times = times(&spans, 15.0);
        assert_eq!((times[0], times.len()), (("app", 5.0), 3));
        assert!((times[1].1 - 10.0 / 3.0).abs() < 1e-9 && (times[2].1 - 20.0 / 3.0).abs() < 1e-9, "{times:?}");
    }
}

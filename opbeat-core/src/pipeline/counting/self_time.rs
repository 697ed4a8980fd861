//! The time of one transaction by kind of span, where no time is counted twice.

use std::borrow::Cow;
use std::time::Duration;

use crate::record::{Interval, SpanRecord, TransactionRecord};

/// The kind of the time outside of all spans.
pub(super) const APP: &str = "app";

/// Computes self times. It reuses its memory from one transaction to the next.
#[derive(Default)]
pub(super) struct SelfTimes {
    covers: Vec<Cover>,
    /// The spans in the order of their start, if they were recorded in another order.
    order: Vec<u32>,
    /// The intervals of repeats, in the order of their start.
    repeats: Vec<Interval>,
}

impl SelfTimes {
    /// Calls `add` with the kind, the number and the self time of the spans of each record, and returns the time outside
    /// of all spans.
    ///
    /// The self time of a span is its duration minus the union of its direct children, which overlap if they ran
    /// concurrently. That of combined spans is the sum of their durations.
    pub(super) fn each(
        &mut self,
        record: &TransactionRecord,
        mut add: impl FnMut(&Cow<'static, str>, u64, Duration),
    ) -> Duration {
        let (spans, duration) = (record.spans.as_slice(), record.duration);
        // The last element is the transaction itself.
        self.covers.clear();
        self.covers.resize(spans.len() + 1, Cover::default());
        if record.repeats.is_empty() && spans.is_sorted_by_key(|span| span.start) {
            for span in spans {
                cover(&mut self.covers, spans, duration, span.parent, (span.start, end(span, duration)));
            }
        } else {
            self.cover_in_order(record);
        }
        for (parent, time) in record.repeats.uncounted() {
            let parent = parent.map_or(spans.len(), |parent| parent as usize);
            if let Some(cover) = self.covers.get_mut(parent) {
                cover.total += *time;
            }
        }
        for (span, cover) in spans.iter().zip(&self.covers).filter(|(span, _)| span.count > 0) {
            let own = if span.count > 1 { span.total } else { end(span, duration).saturating_sub(span.start) };
            add(&span.kind, span.count.into(), own.saturating_sub(cover.total));
        }
        for dropped in &record.dropped {
            add(&dropped.kind, dropped.count, dropped.total);
        }
        duration.saturating_sub(self.covers[spans.len()].total)
    }

    /// Covers the parents of all spans and repeats in the order of their start.
    #[cold]
    fn cover_in_order(&mut self, record: &TransactionRecord) {
        let (spans, duration) = (record.spans.as_slice(), record.duration);
        // The intervals of combined spans are among the repeats.
        let is_single = |index: &u32| spans.get(*index as usize).is_some_and(|span| span.count == 1);
        let start = |index: &u32| spans.get(*index as usize).map_or(Duration::ZERO, |span| span.start);
        self.order.clear();
        self.order.extend((0..).take(spans.len()).filter(is_single));
        if !self.order.is_sorted_by_key(start) {
            self.order.sort_unstable_by_key(start);
        }
        self.repeats.clear();
        self.repeats.extend_from_slice(record.repeats.intervals());
        if !self.repeats.is_sorted_by_key(|repeat| repeat.start) {
            self.repeats.sort_unstable_by_key(|repeat| repeat.start);
        }
        let mut repeats = self.repeats.iter().peekable();
        for span in self.order.iter().filter_map(|index| spans.get(*index as usize)) {
            while let Some(repeat) = repeats.next_if(|repeat| Duration::from_nanos(repeat.start) <= span.start) {
                cover_repeat(&mut self.covers, spans, duration, repeat);
            }
            cover(&mut self.covers, spans, duration, span.parent, (span.start, end(span, duration)));
        }
        repeats.for_each(|repeat| cover_repeat(&mut self.covers, spans, duration, repeat));
    }
}

fn cover_repeat(covers: &mut [Cover], spans: &[SpanRecord], duration: Duration, repeat: &Interval) {
    let interval = (Duration::from_nanos(repeat.start), Duration::from_nanos(repeat.end));
    cover(covers, spans, duration, repeat.parent.map(|parent| parent as usize), interval);
}

/// Covers a part of a span's parent, or of the transaction. A span that outlives its parent covers its part only.
#[inline]
fn cover(
    covers: &mut [Cover],
    spans: &[SpanRecord],
    duration: Duration,
    parent: Option<usize>,
    (start, end): (Duration, Duration),
) {
    let parent = parent.filter(|parent| *parent < spans.len()).unwrap_or(spans.len());
    let (start_of_parent, end_of_parent) =
        spans.get(parent).map_or((Duration::ZERO, duration), |parent| (parent.start, self::end(parent, duration)));
    if let Some(cover) = covers.get_mut(parent) {
        cover.add(start.max(start_of_parent), end.min(end_of_parent));
    }
}

/// Returns the end of a span. A span that ended after its transaction, or not at all, ends with the transaction.
fn end(span: &SpanRecord, duration: Duration) -> Duration {
    span.duration.map_or(duration, |length| (span.start + length).min(duration))
}

/// The union of intervals that are added in the order of their start.
#[derive(Clone, Copy, Default)]
struct Cover {
    total: Duration,
    until: Duration,
}

impl Cover {
    fn add(&mut self, start: Duration, end: Duration) {
        self.total += end.saturating_sub(start.max(self.until));
        self.until = self.until.max(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(kind: &'static str, parent: Option<usize>, start: u64, end: u64) -> SpanRecord {
        SpanRecord {
            signature: kind.into(),
            kind: kind.into(),
            parent,
            start: Duration::from_millis(start),
            duration: (end > start).then(|| Duration::from_millis(end - start)),
            ..SpanRecord::default()
        }
    }

    fn self_times(spans: &[SpanRecord], duration: u64) -> Vec<(String, u128)> {
        let mut times = Vec::new();
        let add = |kind: &Cow<'static, str>, _, time: Duration| times.push((kind.to_string(), time.as_millis()));
        let duration = Duration::from_millis(duration);
        let record = TransactionRecord { spans: spans.to_vec(), duration, ..TransactionRecord::default() };
        let app = SelfTimes::default().each(&record, add);
        times.push((APP.to_owned(), app.as_millis()));
        times
    }

    fn expected(times: &[(&str, u128)]) -> Vec<(String, u128)> {
        times.iter().map(|(kind, time)| ((*kind).to_owned(), *time)).collect()
    }

    #[test]
    fn repeats_cover_their_parent_when_they_ran() {
        let ms = Duration::from_millis;
        let mut combined = span("b", Some(0), 10, 80);
        (combined.count, combined.total) = (3, ms(40));
        let spans = vec![span("a", None, 0, 100), combined, span("c", Some(0), 40, 50)];
        let mut record = TransactionRecord { spans, duration: ms(200), ..TransactionRecord::default() };
        // Two of the three ran at the same time, and none while `c` ran.
        for (start, end) in [(60, 80), (15, 25), (10, 20)] {
            record.repeats.add(Some(0), ms(start), ms(end));
        }
        // Two spans of `d` were dropped. One of them ran on after its parent.
        record.repeats.add(Some(0), ms(70), ms(120));
        record.repeats.add(None, ms(150), ms(160));
        record.dropped.push(crate::record::DroppedSpans { kind: "d".into(), count: 2, total: ms(60) });
        let mut times = Vec::new();
        let add =
            |kind: &Cow<'static, str>, count, time: Duration| times.push((kind.to_string(), count, time.as_millis()));
        let app = SelfTimes::default().each(&record, add);
        let expected = [("a", 1, 100 - 65), ("b", 3, 40), ("c", 1, 10), ("d", 2, 60)];
        assert_eq!(times, expected.map(|(kind, count, time)| (kind.to_owned(), count, time)));
        assert_eq!(app, ms(200 - 100 - 10));
    }

    #[test]
    fn repeats_beyond_the_limit_are_added_up() {
        let ms = Duration::from_millis;
        let mut record = TransactionRecord { duration: ms(10_000), ..TransactionRecord::default() };
        record.spans.push(span("a", None, 0, 10_000));
        for start in 0..5_000 {
            record.repeats.add(Some(0), ms(start), ms(start + 1));
        }
        let mut of_a = Duration::ZERO;
        SelfTimes::default().each(&record, |_, _, time| of_a = time);
        assert_eq!((record.repeats.intervals().len(), of_a), (4_096, ms(5_000)));
    }

    #[test]
    fn no_time_is_counted_twice() {
        type Case = (&'static str, Vec<SpanRecord>, &'static [(&'static str, u128)]);
        let cases: [Case; 7] = [
            ("no span", vec![], &[("app", 100)]),
            (
                "a child",
                vec![span("a", None, 10, 60), span("b", Some(0), 20, 40)],
                &[("a", 30), ("b", 20), ("app", 50)],
            ),
            (
                "concurrent",
                vec![span("a", None, 10, 60), span("b", None, 30, 80)],
                &[("a", 50), ("b", 50), ("app", 30)],
            ),
            (
                "one inside another",
                vec![span("a", None, 0, 90), span("b", None, 10, 20)],
                &[("a", 90), ("b", 10), ("app", 10)],
            ),
            ("not ended", vec![span("a", None, 70, 0)], &[("a", 30), ("app", 70)]),
            (
                "reported late",
                vec![span("a", None, 50, 60), span("b", None, 55, 80), span("c", None, 10, 70)],
                &[("a", 10), ("b", 25), ("c", 60), ("app", 30)],
            ),
            (
                "outlives its parent",
                vec![span("a", None, 0, 50), span("b", Some(0), 40, 90)],
                &[("a", 40), ("b", 50), ("app", 50)],
            ),
        ];
        for (name, spans, times) in cases {
            assert_eq!(self_times(&spans, 100), expected(times), "{name}");
        }
    }
}

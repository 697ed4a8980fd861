//! The time of one transaction by kind of span, where no time is counted twice.

use std::borrow::Cow;
use std::time::Duration;

use crate::record::SpanRecord;

/// The kind of the time outside of all spans.
pub(super) const APP: &str = "app";

/// Computes self times. It reuses its memory from one transaction to the next.
#[derive(Default)]
pub(super) struct SelfTimes {
    covers: Vec<Cover>,
}

impl SelfTimes {
    /// Calls `add` with the kind and the self time of each span, and returns the time outside of all spans.
    ///
    /// The self time of a span is its duration minus the union of its direct children, which overlap if they ran
    /// concurrently. Spans must be in the order of their start, as they are recorded.
    pub(super) fn each(
        &mut self,
        spans: &[SpanRecord],
        duration: Duration,
        mut add: impl FnMut(&Cow<'static, str>, Duration),
    ) -> Duration {
        // The last element is the transaction itself.
        let root = spans.len();
        self.covers.clear();
        self.covers.resize(root + 1, Cover::default());
        for span in spans {
            let parent = span.parent.filter(|parent| *parent < root).unwrap_or(root);
            let end_of_parent = spans.get(parent).map_or(duration, |parent| end(parent, duration));
            self.covers[parent].add(span.start, end(span, duration).min(end_of_parent));
        }
        for (span, cover) in spans.iter().zip(&self.covers) {
            add(&span.kind, (end(span, duration).saturating_sub(span.start)).saturating_sub(cover.total));
        }
        duration.saturating_sub(self.covers[root].total)
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
            extra: Vec::new(),
        }
    }

    fn self_times(spans: &[SpanRecord], duration: u64) -> Vec<(String, u128)> {
        let mut times = Vec::new();
        let add = |kind: &Cow<'static, str>, time: Duration| times.push((kind.to_string(), time.as_millis()));
        let app = SelfTimes::default().each(spans, Duration::from_millis(duration), add);
        times.push((APP.to_owned(), app.as_millis()));
        times
    }

    fn expected(times: &[(&str, u128)]) -> Vec<(String, u128)> {
        times.iter().map(|(kind, time)| ((*kind).to_owned(), *time)).collect()
    }

    #[test]
    fn no_time_is_counted_twice() {
        type Case = (&'static str, Vec<SpanRecord>, &'static [(&'static str, u128)]);
        let cases: [Case; 6] = [
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

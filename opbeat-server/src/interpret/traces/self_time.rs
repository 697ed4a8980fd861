//! Self times: the durations of a sample's spans without the time of their direct children.

use crate::changes::SampleSpan;

/// Calls `add` with each span's kind and self time. Returns the time of the transaction that no span covers.
///
/// All times are in milliseconds.
///
/// Spans must be in the order of their start, parents before their children.
pub(in crate::interpret) fn each(spans: &[SampleSpan], duration_ms: f64, mut add: impl FnMut(&str, f64)) -> f64 {
    // The time that the children of each span cover. The last entry is for the transaction.
    let mut covers = vec![Cover::default(); spans.len() + 1];
    // The spans that contain the current one, the outermost first.
    let mut ancestors: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        ancestors.truncate(span.depth);
        let parent = ancestors.last().copied().unwrap_or(spans.len());
        let end_of_parent = spans.get(parent).map_or(duration_ms, end);
        covers[parent].add(span.start_ms, end(span).min(end_of_parent));
        ancestors.push(index);
    }
    for (span, cover) in spans.iter().zip(&covers) {
        add(&span.kind, (span.duration_ms - cover.total).max(0.0));
    }
    (duration_ms - covers[spans.len()].total).max(0.0)
}

fn end(span: &SampleSpan) -> f64 {
    span.start_ms + span.duration_ms
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

//! The time of a sample's spans, without what their own children took.

use crate::store::SampleSpan;

/// Calls `add` with each span's kind and self time, and returns the time of the transaction that no span covers.
///
/// Spans must be in the order of their start, parents before their children.
pub(super) fn each(spans: &[SampleSpan], duration_ms: f64, mut add: impl FnMut(&str, f64)) -> f64 {
    // What children cover of each span, the transaction last.
    let mut covers = vec![Cover::default(); spans.len() + 1];
    // The spans that the current one lies within.
    let mut around: Vec<usize> = Vec::new();
    for (index, span) in spans.iter().enumerate() {
        around.truncate(span.depth);
        let parent = around.last().copied().unwrap_or(spans.len());
        let end_of_parent = spans.get(parent).map_or(duration_ms, end);
        covers[parent].add(span.start_ms, end(span).min(end_of_parent));
        around.push(index);
    }
    for (span, cover) in spans.iter().zip(&covers) {
        add(&span.kind, (span.duration_ms - cover.total).max(0.0));
    }
    (duration_ms - covers[spans.len()].total).max(0.0)
}

fn end(span: &SampleSpan) -> f64 {
    span.start_ms + span.duration_ms
}

/// The union of intervals that come in the order of their start.
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

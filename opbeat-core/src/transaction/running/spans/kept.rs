//! The spans of a sample: the ones that are kept, in the order of their start.

use std::borrow::Cow;
use std::mem;
use std::time::Duration;

use crate::record::{DroppedSpans, SpanRecord, TransactionRecord};

/// A transaction keeps at most this many spans, after equal ones are combined; further ones are counted by kind.
pub(super) const MAX_SPANS: usize = 500;

/// The largest number of kinds by which dropped spans are counted. Further kinds are counted as [`OTHER`].
const MAX_KINDS: usize = 20;

const OTHER: Cow<'static, str> = Cow::Borrowed("other");

/// Counts spans that are not kept.
pub(super) fn drop_spans(record: &mut TransactionRecord, kind: Cow<'static, str>, count: u32, total: Duration) {
    record.dropped_spans = record.dropped_spans.saturating_add(count);
    count_by_kind(&mut record.dropped, kind, count, total);
}

fn count_by_kind(kinds: &mut Vec<DroppedSpans>, mut kind: Cow<'static, str>, count: u32, total: Duration) {
    let find = |kinds: &[DroppedSpans], kind: &str| kinds.iter().position(|dropped| dropped.kind == kind);
    let found = find(kinds, &kind).or_else(|| {
        if kinds.len() < MAX_KINDS {
            return None;
        }
        kind = OTHER;
        find(kinds, &kind)
    });
    match found.and_then(|index| kinds.get_mut(index)) {
        Some(dropped) => {
            dropped.count += u64::from(count);
            dropped.total += total;
        }
        None => kinds.push(DroppedSpans { kind, count: count.into(), total }),
    }
}

/// Completes the spans of a sample: removes the empty slots of combined spans, keeps the first 500 spans, counts the
/// others by kind, and puts the kept ones in the order of their start.
///
/// Their number is part of `dropped_spans` already.
pub(super) fn complete(record: &mut TransactionRecord) {
    record.repeats.clear(0);
    let mut kept = Vec::with_capacity(record.spans.len().min(MAX_SPANS));
    for (slot, span) in mem::take(&mut record.spans).into_iter().enumerate() {
        if span.count == 0 {
            continue;
        }
        if kept.len() < MAX_SPANS {
            kept.push((slot, span));
        } else {
            let total = span.duration.map_or_else(|| record.duration.saturating_sub(span.start), |_| span.total);
            count_by_kind(&mut record.dropped, span.kind, span.count, total);
        }
    }
    record.spans = in_order_of_start(kept);
}

/// Sorts spans by their start, parents before their children, and returns them with the new indexes of their parents.
///
/// A parent whose times were reported at its end may start after its children.
fn in_order_of_start(mut spans: Vec<(usize, SpanRecord)>) -> Vec<SpanRecord> {
    // Slots of parents are smaller than those of their children, and the sort is stable.
    let mut starts: Vec<(usize, Duration)> = Vec::with_capacity(spans.len());
    for (slot, span) in &spans {
        let parent = span.parent.and_then(|parent| starts.binary_search_by_key(&parent, |(slot, _)| *slot).ok());
        let earliest = parent.map_or(Duration::ZERO, |parent| starts[parent].1);
        starts.push((*slot, span.start.max(earliest)));
    }
    let start_of = |slot: usize| {
        let found = starts.binary_search_by_key(&slot, |(slot, _)| *slot);
        found.map_or(Duration::ZERO, |index| starts[index].1)
    };
    spans.sort_by_key(|(slot, _)| start_of(*slot));
    let mut indexes: Vec<(usize, usize)> = spans.iter().enumerate().map(|(index, (slot, _))| (*slot, index)).collect();
    indexes.sort_unstable();
    let index_of = |slot: usize| {
        let found = indexes.binary_search_by_key(&slot, |(slot, _)| *slot);
        found.ok().map(|found| indexes[found].1)
    };
    let with_index = |(_, mut span): (usize, SpanRecord)| {
        span.parent = span.parent.and_then(index_of);
        span
    };
    spans.into_iter().map(with_index).collect()
}

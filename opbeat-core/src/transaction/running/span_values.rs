//! The extra values of spans.

use std::borrow::Cow;

use crate::record::{SpanRecord, Value};

/// A span keeps at most this many values; further ones are ignored.
const MAX_VALUES: usize = 64;

/// Capacity for more values than this is released before the memory is reused.
const MAX_KEPT: usize = 64;

/// The values of all spans of a transaction in one list, so that a span needs no allocation of its own.
///
/// The values of one span form a linked list from the latest to the first, so that a lookup visits no other span's
/// values.
#[derive(Default)]
pub(super) struct SpanValues {
    values: Vec<SpanValue>,
    /// The latest value of each span, by the span's index.
    latest: Vec<Option<u32>>,
}

struct SpanValue {
    span: u32,
    /// The index of the value that the span got before this one.
    before: Option<u32>,
    key: Cow<'static, str>,
    value: Value,
}

impl SpanValues {
    /// Sets a span's value by its key, and replaces an earlier one.
    pub(super) fn set(&mut self, span: u32, key: Cow<'static, str>, value: Value) {
        let mut count = 0;
        let mut next = self.latest(span);
        while let Some(known) = next.and_then(|index| self.values.get_mut(index as usize)) {
            if known.key == key {
                known.value = value;
                return;
            }
            (next, count) = (known.before, count + 1);
        }
        if count < MAX_VALUES {
            self.add(span, key, value);
        }
    }

    fn add(&mut self, span: u32, key: Cow<'static, str>, value: Value) {
        let (Ok(index), room) = (u32::try_from(self.values.len()), span as usize + 1) else { return };
        if self.latest.len() < room {
            self.latest.resize(room, None);
        }
        if let Some(latest) = self.latest.get_mut(span as usize) {
            let before = latest.replace(index);
            self.values.push(SpanValue { span, before, key, value });
        }
    }

    fn latest(&self, span: u32) -> Option<u32> {
        self.latest.get(span as usize).copied().flatten()
    }

    /// Moves all values into their spans.
    pub(super) fn move_into(&mut self, spans: &mut [SpanRecord]) {
        self.latest.clear();
        for SpanValue { span, key, value, .. } in self.values.drain(..) {
            if let Some(span) = spans.get_mut(span as usize) {
                span.extra.push((key, value));
            }
        }
    }

    /// Returns a span's values in the order in which they were set.
    pub(super) fn of(&self, span: u32) -> impl Iterator<Item = (Cow<'static, str>, Value)> {
        self.values.iter().filter(move |value| value.span == span).map(|value| (value.key.clone(), value.value.clone()))
    }

    /// Removes all values, and keeps the allocations.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.values.shrink_to(MAX_KEPT);
        self.latest.clear();
        self.latest.shrink_to(MAX_KEPT);
    }
}

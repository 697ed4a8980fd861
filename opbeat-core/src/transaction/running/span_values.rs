//! The extra values of spans.

use std::borrow::Cow;

use crate::record::Value;

/// A span keeps at most this many values; further ones are ignored.
const MAX_VALUES: usize = 64;

/// Capacity for more values than this is released before the memory is reused.
const MAX_KEPT: usize = 64;

/// The values of all spans of a transaction in one list, so that a span needs no allocation of its own.
///
/// The values of one span form a linked list from the latest to the first, so that a lookup visits no other span's
/// values. So do the places of removed values, which are used again.
#[derive(Default)]
pub(super) struct SpanValues {
    values: Vec<SpanValue>,
    /// The latest value of each span, by the span's index.
    latest: Vec<Option<u32>>,
    /// The place of the value that was removed last.
    free: Option<u32>,
}

struct SpanValue {
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
        let room = span as usize + 1;
        if self.latest.len() < room {
            self.latest.resize(room, None);
        }
        let before = self.latest(span);
        let value = SpanValue { before, key, value };
        let Some(index) = self.place(value) else { return };
        if let Some(latest) = self.latest.get_mut(span as usize) {
            *latest = Some(index);
        }
    }

    /// Stores a value in a free place, or at the end.
    fn place(&mut self, value: SpanValue) -> Option<u32> {
        if let Some(free) = self.free
            && let Some(place) = self.values.get_mut(free as usize)
        {
            self.free = place.before;
            *place = value;
            return Some(free);
        }
        let index = u32::try_from(self.values.len()).ok()?;
        self.values.push(value);
        Some(index)
    }

    /// Removes all values of a span.
    pub(super) fn remove(&mut self, span: u32) {
        let mut next = self.latest.get_mut(span as usize).and_then(Option::take);
        while let Some(index) = next
            && let Some(removed) = self.values.get_mut(index as usize)
        {
            next = removed.before;
            let before = self.free.replace(index);
            *removed = SpanValue { before, key: Cow::Borrowed(""), value: Value::Bool(false) };
        }
    }

    fn latest(&self, span: u32) -> Option<u32> {
        self.latest.get(span as usize).copied().flatten()
    }

    /// Returns whether a span has a value with this key.
    pub(super) fn has(&self, span: u32, key: &str) -> bool {
        self.latest_first(span).any(|value| value.key == key)
    }

    fn latest_first(&self, span: u32) -> impl Iterator<Item = &SpanValue> {
        let value = |index: u32| self.values.get(index as usize);
        std::iter::successors(self.latest(span).and_then(value), move |found| found.before.and_then(value))
    }

    /// Returns a span's values in the order in which they were set.
    pub(super) fn of(&self, span: u32) -> impl Iterator<Item = (Cow<'static, str>, Value)> {
        let mut values: Vec<_> =
            self.latest_first(span).map(|value| (value.key.clone(), value.value.clone())).collect();
        values.reverse();
        values.into_iter()
    }

    /// Removes all values, and keeps the allocations.
    pub(super) fn clear(&mut self) {
        self.values.clear();
        self.values.shrink_to(MAX_KEPT);
        self.latest.clear();
        self.latest.shrink_to(MAX_KEPT);
        self.free = None;
    }
}

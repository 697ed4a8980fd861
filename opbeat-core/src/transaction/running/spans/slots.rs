//! The spans of a running transaction in their slots.

use std::borrow::Cow;
use std::num::NonZeroU32;
use std::time::Duration;

use super::call_site::CallSite;
use super::combined::Combined;
use super::kept::{self, MAX_SPANS};
use super::span_ref::SpanRef;
use crate::record::{SpanRecord, TransactionRecord, Value};
use crate::transaction::running::span_values::SpanValues;

/// The largest number of spans that run at once or wait for the end of the transaction. Of further ones, only the kind
/// and the time are counted, and repeats are combined at their end.
pub(super) const MAX_SLOTS: usize = 1_000;

/// Capacity for more spans than this is released before the memory is reused.
const MAX_KEPT: usize = 64;

/// Capacity for more intervals of repeats than this is released before the memory is reused.
const MAX_KEPT_REPEATS: usize = 256;

pub(super) type Values = Vec<(Cow<'static, str>, Value)>;

/// The spans of a transaction, apart from their records, which have the same indexes as the slots.
#[derive(Default)]
pub(in crate::transaction::running) struct Spans {
    pub(super) slots: Vec<Slot>,
    pub(super) combined: Combined,
    pub(super) values: SpanValues,
    pub(super) call_site: CallSite,
    pub(super) last_number: u32,
    /// The number of empty slots: their spans were folded into others, and later slots keep them in place.
    pub(super) empty: usize,
    /// Slots that were emptied last. Some may be used again already.
    pub(super) free: Vec<u32>,
    pub(super) running: u32,
    /// The number of the running ones without a slot.
    pub(super) unkept: u32,
}

/// The state of a span beside its record. The record of a folded span has the count 0.
pub(super) struct Slot {
    pub(super) number: NonZeroU32,
    /// Whether the span has or had children. It is then never folded, and stays in its slot.
    pub(super) has_children: bool,
    pub(super) has_error: bool,
    pub(super) stack: SpanStack,
}

/// How far the search for the stack of a repeated span is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SpanStack {
    /// No stack was looked for.
    New,
    /// No stack is known. The next call site provides one, or a capture on the transaction's thread.
    Wanted,
    /// No stack is known, and the threads on which the spans end have no calls of the application.
    WantedFromCallSite,
    Done,
}

/// A span that starts.
#[derive(Default)]
pub(crate) struct NewSpan {
    pub(crate) signature: Cow<'static, str>,
    pub(crate) kind: Cow<'static, str>,
    pub(crate) parent: Option<SpanRef>,
    pub(crate) start: Duration,
}

/// A span that runs.
pub(crate) enum StartedSpan {
    Kept(SpanRef),
    /// There was no slot for the span. It has no children.
    Unkept(Box<NewSpan>),
}

impl StartedSpan {
    /// Returns the span, if it is kept.
    pub(crate) fn kept(&self) -> Option<SpanRef> {
        match self {
            Self::Kept(span) => Some(*span),
            Self::Unkept(_) => None,
        }
    }

    /// Returns the span whose children are those that start in this one.
    pub(crate) fn position(&self) -> Option<SpanRef> {
        match self {
            Self::Kept(span) => Some(*span),
            Self::Unkept(span) => span.parent,
        }
    }
}

/// The start.
impl Spans {
    /// Starts a span.
    #[inline]
    pub(in crate::transaction::running) fn start(
        &mut self,
        record: &mut TransactionRecord,
        new: NewSpan,
    ) -> StartedSpan {
        self.running += 1;
        if record.spans.len() >= MAX_SLOTS {
            self.unkept += 1;
            return StartedSpan::Unkept(Box::new(new));
        }
        let parent = self.parent_slot(record, new.parent);
        let NewSpan { signature, kind, start, .. } = new;
        let span = || SpanRecord { signature, kind, start, ..SpanRecord::default() };
        StartedSpan::Kept(self.push(record, parent, span))
    }

    /// Puts a span into a slot. A closure makes it in place, because records are large.
    #[inline]
    pub(super) fn push(
        &mut self,
        record: &mut TransactionRecord,
        parent: Option<u32>,
        span: impl FnOnce() -> SpanRecord,
    ) -> SpanRef {
        if let Some(parent) = parent.and_then(|parent| self.slots.get_mut(parent as usize)) {
            parent.has_children = true;
        }
        self.last_number = self.last_number.wrapping_add(1);
        let number = NonZeroU32::new(self.last_number).unwrap_or(NonZeroU32::MIN);
        let slot = Slot { number, has_children: false, has_error: false, stack: SpanStack::New };
        let with_place = || SpanRecord { parent: parent.map(|parent| parent as usize), number: number.get(), ..span() };
        if !self.free.is_empty()
            && let Some(index) = self.take_free(record, parent)
            && let Some(free) = self.slots.get_mut(index as usize)
            && let Some(empty) = record.spans.get_mut(index as usize)
        {
            (*free, *empty) = (slot, with_place());
            return SpanRef::new(index, number, parent);
        }
        // The number of slots is limited.
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        record.spans.push(with_place());
        self.slots.push(slot);
        SpanRef::new(index, number, parent)
    }

    /// Takes an empty slot after that of the parent, so that two tasks which repeat a query in turn need no more slots.
    #[cold]
    fn take_free(&mut self, record: &TransactionRecord, parent: Option<u32>) -> Option<u32> {
        while let Some(free) = self.free.pop() {
            let is_free = record.spans.get(free as usize).is_some_and(|span| span.count == 0);
            if is_free && parent.is_none_or(|parent| parent < free) {
                self.empty -= 1;
                return Some(free);
            }
        }
        None
    }

    /// Returns the slot of a new span's parent. The parent of a span that lost its slot stands in for it.
    #[inline]
    pub(super) fn parent_slot(&self, record: &TransactionRecord, parent: Option<SpanRef>) -> Option<u32> {
        parent.and_then(|parent| self.own_slot(record, parent).or(parent.parent()))
    }

    /// Returns the slot of a span, if it is still in it.
    #[inline]
    pub(super) fn own_slot(&self, record: &TransactionRecord, span: SpanRef) -> Option<u32> {
        let is_own = self.slots.get(span.slot as usize).is_some_and(|slot| slot.number == span.number);
        let is_kept = record.spans.get(span.slot as usize).is_some_and(|span| span.count > 0);
        (is_own && is_kept).then_some(span.slot)
    }

    /// Returns a reference to the span in a slot.
    #[inline]
    pub(super) fn reference(&self, record: &TransactionRecord, slot: u32) -> Option<SpanRef> {
        let (own, span) = (self.slots.get(slot as usize)?, record.spans.get(slot as usize)?);
        Some(SpanRef::new(slot, own.number, parent_of(span)))
    }
}

/// Further properties.
impl Spans {
    /// Replaces the description of a span that is about to end.
    pub(in crate::transaction::running) fn describe(
        &mut self,
        record: &mut TransactionRecord,
        span: SpanRef,
        new: NewSpan,
        extra: Values,
    ) {
        let Some(slot) = self.own_slot(record, span) else { return };
        let parent = span.parent().and_then(|parent| record.spans.get(parent as usize));
        let start = parent.map_or(new.start, |parent| new.start.max(parent.start));
        if let Some(span) = record.spans.get_mut(slot as usize) {
            (span.signature, span.kind, span.start) = (new.signature, new.kind, start);
        }
        for (key, value) in extra {
            self.values.set(slot, key, value);
        }
    }

    /// Returns the start of a new span, or that of its parent if that is later.
    pub(in crate::transaction::running) fn start_in_parent(
        &self,
        record: &TransactionRecord,
        new: &NewSpan,
    ) -> Duration {
        let parent = self.parent_slot(record, new.parent).and_then(|parent| record.spans.get(parent as usize));
        parent.map_or(new.start, |parent| new.start.max(parent.start))
    }

    pub(in crate::transaction::running) fn set_value(
        &mut self,
        record: &TransactionRecord,
        span: SpanRef,
        (key, value): (Cow<'static, str>, Value),
    ) {
        if let Some(slot) = self.own_slot(record, span) {
            self.values.set(slot, key, value);
        }
    }

    /// Notes that a `traceparent` with this id was taken from a span.
    pub(in crate::transaction::running) fn set_id(&self, record: &mut TransactionRecord, span: SpanRef, id: u64) {
        let slot = self.own_slot(record, span);
        if let Some(span) = slot.and_then(|slot| record.spans.get_mut(slot as usize)) {
            span.id = Some(id);
        }
    }

    /// Returns `current` if that span still runs, or else its nearest ancestor that does.
    pub(in crate::transaction::running) fn nearest_running(
        &self,
        record: &TransactionRecord,
        current: Option<SpanRef>,
    ) -> Option<SpanRef> {
        let mut slot = self.parent_slot(record, Some(current?));
        while let Some(found) = slot {
            let span = record.spans.get(found as usize)?;
            if span.duration.is_none() {
                return self.reference(record, found);
            }
            slot = parent_of(span);
        }
        None
    }

    /// Returns a copy of a span's record.
    pub(in crate::transaction::running) fn record_of(
        &self,
        record: &TransactionRecord,
        span: SpanRef,
    ) -> Option<SpanRecord> {
        let slot = self.own_slot(record, span)?;
        let mut span = record.spans.get(slot as usize)?.clone();
        span.extra.extend(self.values.of(slot));
        Some(span)
    }
}

/// The end of the transaction.
impl Spans {
    /// Counts the spans beyond the limit that could not be dropped while they ran. Returns the number of spans that still
    /// run.
    pub(in crate::transaction::running) fn finish(&self, record: &mut TransactionRecord) -> u32 {
        let kept = record.spans.len().saturating_sub(self.empty);
        let dropped = u32::try_from(kept.saturating_sub(MAX_SPANS)).unwrap_or(u32::MAX);
        record.dropped_spans = record.dropped_spans.saturating_add(dropped).saturating_add(self.unkept);
        self.running
    }

    /// Adds all values to the records of their spans, and completes the spans for a sample.
    pub(in crate::transaction::running) fn complete(&self, record: &mut TransactionRecord) {
        for (slot, span) in record.spans.iter_mut().enumerate() {
            if let Ok(slot) = u32::try_from(slot) {
                span.extra.extend(self.values.of(slot));
            }
        }
        kept::complete(record);
    }

    /// Removes all spans, and keeps the allocations.
    pub(in crate::transaction::running) fn clear(&mut self, record: &mut TransactionRecord) {
        if self.last_number == 0 && record.dropped_spans == 0 {
            return;
        }
        record.spans.clear();
        record.spans.shrink_to(MAX_KEPT);
        record.dropped.clear();
        record.dropped_spans = 0;
        record.repeats.clear(MAX_KEPT_REPEATS);
        self.slots.clear();
        self.slots.shrink_to(MAX_KEPT);
        self.combined.clear(MAX_KEPT);
        self.values.clear();
        self.call_site = CallSite::default();
        self.free.clear();
        (self.last_number, self.empty, self.running, self.unkept) = (0, 0, 0, 0);
    }
}

pub(super) fn parent_of(span: &SpanRecord) -> Option<u32> {
    span.parent.and_then(|parent| u32::try_from(parent).ok())
}

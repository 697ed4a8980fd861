//! The end of spans: repeats are folded into the first of them, and spans beyond the limit are only counted.

use std::mem;
use std::time::Duration;

use super::combined::{add_repeat, hash, hash_in};
use super::kept::{MAX_SPANS, drop_spans};
use super::slots::{MAX_SLOTS, NewSpan, Spans, Values, parent_of};
use super::span_ref::SpanRef;
use super::stack_search::StackWish;
use crate::record::{SpanRecord, TransactionRecord};

/// The extra value that failed calls have. They are not combined with successful ones.
const ERROR: &str = "error";

/// The largest number of empty slots that are remembered.
const MAX_FREE: usize = 64;

/// A span that has ended.
pub(in crate::transaction::running) struct EndedSpan {
    /// The span, or the one that it was combined with.
    pub(in crate::transaction::running) span: SpanRef,
    /// A hash of its signature and kind.
    pub(in crate::transaction::running) hash: u64,
    pub(in crate::transaction::running) took: Duration,
    pub(in crate::transaction::running) has_stack: bool,
    pub(in crate::transaction::running) wish: Option<StackWish>,
}

impl Spans {
    /// Ends a span. Returns `None` if it did not run, or if it is only counted.
    pub(in crate::transaction::running) fn end(
        &mut self,
        record: &mut TransactionRecord,
        span: SpanRef,
        end: Duration,
        is_leaf: bool,
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        let slot = self.own_slot(record, span)?;
        let ended = record.spans.get_mut(slot as usize).filter(|span| span.duration.is_none())?;
        let took = end.saturating_sub(ended.start);
        (ended.duration, ended.total, ended.is_leaf) = (Some(took), took, is_leaf);
        self.running = self.running.saturating_sub(1);
        let hash = hash(&ended.signature, &ended.kind);
        let has_stack = ended.call_stack.is_some();
        let own = self.slots.get_mut(slot as usize)?;
        own.has_error = self.values.has(slot, ERROR);
        let (has_error, has_children) = (own.has_error, own.has_children);
        let ended_span = EndedSpan { span, hash, took, has_stack, wish: None };
        if has_children {
            return Some(ended_span);
        }
        let ended = record.spans.get(slot as usize)?;
        let (start, parent) = (ended.start, parent_of(ended));
        let hash_in = hash_in(hash, parent, has_error);
        if is_leaf && let Some(first) = self.find_equal(record, ended, hash_in, has_error) {
            self.release(record, slot);
            return self.fold(record, first, (start, start + took), hash, n_plus_one);
        }
        if self.is_full(record, 1) {
            let kind = record.spans.get_mut(slot as usize).map(|span| mem::take(&mut span.kind));
            drop_spans(record, kind.unwrap_or_default(), 1, took);
            record.repeats.add(parent, start, start + took);
            self.release(record, slot);
            return None;
        }
        if is_leaf {
            self.forget_call_site(&record.spans.get(slot as usize)?.kind);
            self.combined.add(hash_in, slot);
        }
        Some(ended_span)
    }

    /// Ends a span that has no slot. Returns `None` if it is only counted.
    pub(in crate::transaction::running) fn end_unkept(
        &mut self,
        record: &mut TransactionRecord,
        span: NewSpan,
        end: Duration,
        is_leaf: bool,
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        self.running = self.running.saturating_sub(1);
        self.unkept = self.unkept.saturating_sub(1);
        let took = end.saturating_sub(span.start);
        self.add(record, span, (took, is_leaf), Vec::new(), n_plus_one)
    }

    /// Records a span that has ended already. Returns `None` if it is only counted.
    pub(in crate::transaction::running) fn add(
        &mut self,
        record: &mut TransactionRecord,
        new: NewSpan,
        (took, is_leaf): (Duration, bool),
        extra: Values,
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        let parent = self.parent_slot(record, new.parent);
        let has_error = extra.iter().any(|(key, _)| key == ERROR);
        let NewSpan { signature, kind, start, .. } = new;
        let hash = hash(&signature, &kind);
        let span = SpanRecord {
            signature,
            kind,
            parent: parent.map(|parent| parent as usize),
            start,
            duration: Some(took),
            total: took,
            is_leaf,
            extra,
            ..SpanRecord::default()
        };
        let hash_in = hash_in(hash, parent, has_error);
        if is_leaf && let Some(first) = self.find_equal(record, &span, hash_in, has_error) {
            return self.fold(record, first, (start, start + took), hash, n_plus_one);
        }
        if self.is_full(record, 0) || record.spans.len() >= MAX_SLOTS {
            // Its time is not the parent's own, so that the parent stays in its slot.
            if let Some(parent) = parent.and_then(|parent| self.slots.get_mut(parent as usize)) {
                parent.has_children = true;
            }
            drop_spans(record, span.kind, 1, took);
            record.repeats.add(parent, start, start + took);
            return None;
        }
        if is_leaf {
            self.forget_call_site(&span.kind);
        }
        let span = self.push(record, parent, || span);
        if is_leaf {
            self.combined.add(hash_in, span.slot);
        }
        self.slots.get_mut(span.slot as usize)?.has_error = has_error;
        Some(EndedSpan { span, hash, took, has_stack: false, wish: None })
    }

    /// Returns whether this number of spans is kept already, apart from the last `own` ones.
    fn is_full(&self, record: &TransactionRecord, own: usize) -> bool {
        record.spans.len() >= MAX_SPANS + self.empty + own
    }

    /// Returns the slot of an earlier span that an ended one is combined with.
    fn find_equal(
        &mut self,
        record: &TransactionRecord,
        ended: &SpanRecord,
        hash_in: u64,
        has_error: bool,
    ) -> Option<u32> {
        let slots = &self.slots;
        self.combined.find(hash_in, |slot| {
            let slot = slot as usize;
            let (Some(own), Some(first)) = (slots.get(slot), record.spans.get(slot)) else { return false };
            own.has_error == has_error
                && first.duration.is_some()
                && first.parent == ended.parent
                && first.signature == ended.signature
                && first.kind == ended.kind
        })
    }

    /// Adds a repeat to the first of its spans.
    fn fold(
        &mut self,
        record: &mut TransactionRecord,
        slot: u32,
        (start, end): (Duration, Duration),
        hash: u64,
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        let first = record.spans.get_mut(slot as usize)?;
        let parent = parent_of(first);
        let own = (first.start, first.start + first.total);
        if first.count == 1 {
            record.repeats.add(parent, own.0, own.1);
        }
        record.repeats.add(parent, start, end);
        add_repeat(first, start, end);
        let wish = self.wish(record, slot, n_plus_one);
        let span = self.reference(record, slot)?;
        let has_stack = record.spans.get(slot as usize)?.call_stack.is_some();
        Some(EndedSpan { span, hash, took: end.saturating_sub(start), has_stack, wish })
    }

    /// Empties a slot, so that another span can use it.
    fn release(&mut self, record: &mut TransactionRecord, slot: u32) {
        self.values.remove(slot);
        let mut length = record.spans.len();
        if slot as usize + 1 < length {
            self.empty += 1;
            if let Some(span) = record.spans.get_mut(slot as usize) {
                *span = SpanRecord { count: 0, ..SpanRecord::default() };
            }
            if self.free.len() < MAX_FREE {
                self.free.push(slot);
            }
            return;
        }
        length = slot as usize;
        while length > 0 && record.spans.get(length - 1).is_some_and(|last| last.count == 0) {
            length -= 1;
            self.empty -= 1;
        }
        record.spans.truncate(length);
        self.slots.truncate(length);
    }
}

//! The search for the stacks that repeated queries are shown with.

use std::sync::Arc;

use super::combined::is_query;
use super::slots::{SpanStack, Spans};
use super::span_ref::SpanRef;
use crate::record::TransactionRecord;

/// The source of the stack that a repeated query is shown with.
pub(in crate::transaction::running) enum StackWish {
    /// A stack that an earlier transaction captured. It is due if there were enough repeats to flag them.
    Known { is_due: bool },
    /// The stack of the running code.
    Capture,
    /// The stack was found, and later transactions may use it too.
    Share(Arc<[usize]>),
}

impl Spans {
    /// Flags a span that repeats too often, and returns the stack that it needs.
    pub(super) fn wish(&mut self, record: &mut TransactionRecord, slot: u32, n_plus_one: u32) -> Option<StackWish> {
        let stack = self.slots.get(slot as usize)?.stack;
        let first = record.spans.get_mut(slot as usize)?;
        let is_wanted = matches!(stack, SpanStack::Wanted | SpanStack::WantedFromCallSite);
        if !is_wanted {
            self.forget_call_site(&first.kind);
        }
        // The stack is looked for one repeat early, so that a call site can be captured in time.
        let is_near = n_plus_one > 0 && first.count.saturating_add(1) >= n_plus_one;
        if !is_near || !(first.n_plus_one || is_query(&first.kind)) {
            return None;
        }
        first.n_plus_one = first.count >= n_plus_one;
        if first.call_stack.is_some() && stack != SpanStack::Done {
            self.end_search(slot);
            return None;
        }
        if stack == SpanStack::New {
            return Some(StackWish::Known { is_due: first.n_plus_one });
        }
        if is_wanted && let Some(found) = self.call_site.take() {
            first.call_stack = Some(Arc::clone(&found));
            self.end_search(slot);
            return Some(StackWish::Share(found));
        }
        (stack == SpanStack::Wanted && first.n_plus_one).then_some(StackWish::Capture)
    }

    /// Drops the captured call site, because it is that of another query.
    pub(super) fn forget_call_site(&mut self, kind: &str) {
        if self.call_site.is_captured() && is_query(kind) {
            self.call_site.take();
        }
    }

    /// Sets the stack of a span.
    pub(in crate::transaction::running) fn set_stack(
        &mut self,
        record: &mut TransactionRecord,
        span: SpanRef,
        stack: Arc<[usize]>,
    ) {
        let Some(slot) = self.own_slot(record, span) else { return };
        if let Some(span) = record.spans.get_mut(slot as usize) {
            span.call_stack = Some(stack);
        }
        self.end_search(slot);
    }

    /// Notes that no stack is known for a repeated span, or that none can be known.
    pub(in crate::transaction::running) fn note_unknown_stack(
        &mut self,
        record: &TransactionRecord,
        span: SpanRef,
        is_on_call_site: bool,
    ) {
        let Some(slot) = self.own_slot(record, span) else { return };
        let Some(own) = self.slots.get_mut(slot as usize).filter(|own| own.stack == SpanStack::New) else { return };
        own.stack = if is_on_call_site { SpanStack::WantedFromCallSite } else { SpanStack::Wanted };
        self.call_site.want();
    }

    /// Looks for no stack of a span any more.
    pub(in crate::transaction::running) fn give_up_stack(&mut self, record: &TransactionRecord, span: SpanRef) {
        if let Some(slot) = self.own_slot(record, span) {
            self.end_search(slot);
        }
    }

    fn end_search(&mut self, slot: u32) {
        let Some(own) = self.slots.get_mut(slot as usize) else { return };
        if matches!(own.stack, SpanStack::Wanted | SpanStack::WantedFromCallSite) {
            self.call_site.satisfy();
        }
        own.stack = SpanStack::Done;
    }

    /// Returns whether the next call site is to be captured.
    pub(in crate::transaction::running) fn is_call_site_wanted(&self) -> bool {
        self.call_site.is_wanted()
    }

    pub(in crate::transaction::running) fn set_call_site(&mut self, stack: Arc<[usize]>) {
        self.call_site.set(stack);
    }
}

//! The spans of a running transaction: their start, their end, and the stacks that they are shown with.

use std::borrow::Cow;
use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::FixedState;

use super::active::Active;
use super::finished_span::FinishedSpan;
use super::spans::{EndedSpan, NewSpan, SpanRef, StackWish, StartedSpan};
use crate::capture::call_stack;
use crate::clock::Instant;
use crate::pipeline::KnownStack;
use crate::record::{SpanRecord, Value};

/// A span that takes at least this time is shown with the application's calls that led to it.
const SLOW: Duration = Duration::from_millis(100);

impl Active {
    /// Starts a span; `None` if the transaction has ended.
    pub(crate) fn start_span(
        &self,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<SpanRef>,
    ) -> Option<StartedSpan> {
        let start = self.started.elapsed();
        self.state().start_span(NewSpan { signature, kind, parent, start })
    }

    /// Records a span that has ended already.
    pub(crate) fn record_span(&self, span: FinishedSpan, parent: Option<SpanRef>, is_own_thread: bool) {
        let FinishedSpan { signature, kind, ended, duration, is_leaf, extra } = span;
        // A time in the future would end after the transaction.
        let end = ended.saturating_duration_since(self.started).min(self.started.elapsed());
        let new = NewSpan { signature, kind, parent, start: end.saturating_sub(duration) };
        let found = self.state().add_span(new, end, (is_leaf, extra), self.recorder.n_plus_one());
        if let Some(ended) = found {
            self.find_stack(ended, is_own_thread);
        }
    }

    /// Replaces the signature, the kind, the start and the extra values of a span that is about to end.
    pub(crate) fn describe_span(&self, span: &mut StartedSpan, end: FinishedSpan) {
        let start = end.ended.saturating_duration_since(self.started).saturating_sub(end.duration);
        let FinishedSpan { signature, kind, extra, .. } = end;
        self.state().describe_span(span, NewSpan { signature, kind, parent: None, start }, extra);
    }

    /// Ends a span. Returns `current` if that span still runs, or else its nearest ancestor that does.
    ///
    /// `is_own_thread` is whether the calls of the thread belong to the transaction.
    pub(crate) fn end_span(
        &self,
        span: &mut StartedSpan,
        current: Option<SpanRef>,
        ended: Instant,
        (is_leaf, is_own_thread): (bool, bool),
    ) -> Option<SpanRef> {
        let ended = ended.saturating_duration_since(self.started);
        let mut state = self.state();
        let found = state.end_span(span, ended, is_leaf, self.recorder.n_plus_one());
        let left = state.nearest_running_span(current);
        drop(state);
        if let Some(ended) = found {
            self.find_stack(ended, is_own_thread);
        }
        left
    }

    /// Returns `current` if that span still runs, or else its nearest ancestor that does.
    pub(crate) fn nearest_running_span(&self, current: Option<SpanRef>) -> Option<SpanRef> {
        self.state().nearest_running_span(current)
    }

    /// Returns a copy of a span's record.
    pub(crate) fn span(&self, span: SpanRef) -> Option<SpanRecord> {
        self.state().span(span)
    }

    pub(crate) fn set_span_extra(&self, span: SpanRef, key: Cow<'static, str>, value: Value) {
        self.state().set_span_value(span, key, value);
    }
}

/// The stacks of slow spans, of the first span of a signature, and of repeated queries.
impl Active {
    /// Captures the running code as the call site of the next query, if a repeated query needs one.
    pub(crate) fn note_call_site(&self) {
        if !self.state().is_call_site_wanted() {
            return;
        }
        // The capture takes long, and other threads may need the state meanwhile.
        if let Some(stack) = call_stack() {
            self.state().set_call_site(stack);
        }
    }

    #[inline]
    fn find_stack(&self, ended: EndedSpan, is_own_thread: bool) {
        let stacks = self.recorder.stacks();
        if is_own_thread && !ended.has_stack {
            let is_first = stacks.note_signature(ended.hash);
            if is_first || (ended.took >= SLOW && stacks.admits_slow(ended.hash)) {
                return self.set_stack(ended.span, call_stack());
            }
        }
        if let Some(wish) = ended.wish {
            self.find_repeated_stack(ended.span, ended.hash, wish, is_own_thread);
        }
    }

    #[cold]
    fn find_repeated_stack(&self, span: SpanRef, hash: u64, wish: StackWish, is_own_thread: bool) {
        let stacks = self.recorder.stacks();
        let key = FixedState::default().hash_one(self.route_name()) ^ hash;
        match wish {
            StackWish::Share(stack) => stacks.share(key, stack),
            StackWish::Capture if is_own_thread => self.set_stack(span, stacks.capture(key, call_stack)),
            StackWish::Capture => {}
            StackWish::Known { is_due } => match stacks.find(key) {
                KnownStack::Found(stack) if is_due => self.set_stack(span, Some(stack)),
                // The next repeat takes it.
                KnownStack::Found(_) => {}
                KnownStack::Missing if is_due && is_own_thread => self.set_stack(span, stacks.capture(key, call_stack)),
                KnownStack::Missing => self.state().note_unknown_stack(span, false),
                KnownStack::Foreign => self.state().note_unknown_stack(span, true),
                KnownStack::Busy => {}
                KnownStack::Full => self.state().give_up_stack(span),
            },
        }
    }

    #[cold]
    fn set_stack(&self, span: SpanRef, stack: Option<Arc<[usize]>>) {
        if let Some(stack) = stack {
            self.state().set_span_stack(span, stack);
        }
    }
}

//! The part of a transaction that changes while it runs.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::baggage::{remote_baggage, valid_baggage};
use super::end::End;
use super::log_lines::LogLines;
use super::primary_error::PrimaryError;
use super::spans::{EndedSpan, NewSpan, SpanRef, Spans, StartedSpan};
use super::trace::remote_trace_state;
use crate::clock::Instant;
use crate::pipeline::Recorder;
use crate::record::{
    ErrorRecord, Origin, Outcome, RequestRecord, SpanRecord, TraceParent, TransactionName, TransactionRecord,
    TransactionResult, User, Value,
};

/// A transaction keeps at most this many tags and this many extra values; further ones are ignored.
const MAX_VALUES: usize = 64;

type Values = Vec<(Cow<'static, str>, Value)>;

/// The number of spans, since the process started, that belong to no transaction: none was current, or the current one
/// had ended.
static WITHOUT_TRANSACTION: AtomicU64 = AtomicU64::new(0);

#[cold]
pub(crate) fn count_span_without_transaction() {
    WITHOUT_TRANSACTION.fetch_add(1, Ordering::Relaxed);
}

/// Returns the number of spans since the start of the process that were started while no transaction was current or
/// after it had ended. Their code runs in a task or a thread that does not carry the transaction.
pub(crate) fn spans_without_transaction() -> u64 {
    WITHOUT_TRANSACTION.load(Ordering::Relaxed)
}

/// The number of spans, since the process started, that were still running when their transaction ended.
static UNFINISHED: AtomicU64 = AtomicU64::new(0);

/// Returns the number of spans since the start of the process that were still running when their transaction ended.
pub(crate) fn unfinished_spans() -> u64 {
    UNFINISHED.load(Ordering::Relaxed)
}

/// The part of a transaction that changes while it runs: its unfinished record, and the facts that decide how it ends.
#[derive(Default)]
pub(crate) struct TransactionState {
    pub(super) record: TransactionRecord,
    /// The application set the name, so the adapter's route does not replace it.
    is_renamed: bool,
    /// A route was set, even if the application's own name hides it.
    pub(super) has_route: bool,
    /// The application set the result.
    pub(super) has_result: bool,
    /// The outcome that the application set.
    pub(super) outcome: Option<Outcome>,
    pub(super) ended: bool,
    /// The report that stands for the transaction's failure.
    pub(super) error: Option<Box<PrimaryError>>,
    /// A panic was reported.
    pub(super) has_panicked: bool,
    pub(super) spans: Spans,
    /// The `tracestate` to pass on, if it was set or inherited instead of read from the request.
    pub(super) trace_state: Option<String>,
    /// The baggage to pass on, if it was set or inherited instead of read from the request.
    pub(super) baggage: Option<String>,
    pub(super) log_lines: LogLines,
    /// The polls of a job. An HTTP request measures its own.
    pub(super) polls: Option<Polls>,
}

/// The polls of a future, in nanoseconds.
#[derive(Clone, Copy, Default)]
pub(super) struct Polls {
    pub(super) busy: u64,
    pub(super) longest: u64,
}

/// The end.
impl TransactionState {
    /// Ends the transaction, counts it, and keeps its whole record if it is chosen as a sample. A second call does
    /// nothing.
    ///
    /// A result and an outcome that the application set are kept, unless the end is forced. If other handles still
    /// share the state, its record stays in place, and the sample is a copy.
    #[inline]
    pub(super) fn end(&mut self, end: &End, is_shared: bool, recorder: &Recorder, started: Instant) {
        if mem::replace(&mut self.ended, true) {
            return;
        }
        let outcome = self.outcome_of(end);
        let record = &mut self.record;
        record.outcome = outcome;
        if end.is_forced || !self.has_result {
            record.result = end.result(outcome);
        }
        let unfinished = self.spans.finish(record);
        if unfinished > 0 {
            UNFINISHED.fetch_add(unfinished.into(), Ordering::Relaxed);
        }
        (record.duration, record.head) = (end.duration, end.head.map(Duration::from_nanos));
        if let Some(position) = recorder.count(record, started) {
            record.busy = end.busy.map(Duration::from_nanos);
            record.response_bytes = end.sent;
            recorder.keep(&position, with_request_facts(self.whole_record(is_shared)));
        }
    }

    fn outcome_of(&self, end: &End) -> Outcome {
        match self.outcome {
            Some(chosen) if !end.is_forced => chosen,
            None if self.has_panicked && end.outcome == Outcome::ServerError => Outcome::Panicked,
            _ => end.outcome,
        }
    }

    /// Returns the whole record: moved out if nothing else shares the state, or else a copy.
    #[cold]
    fn whole_record(&mut self, is_shared: bool) -> TransactionRecord {
        let mut record = if is_shared { self.record.clone() } else { mem::take(&mut self.record) };
        self.spans.complete(&mut record);
        record
    }

    /// Empties the state for the next transaction, and keeps its allocations.
    pub(super) fn clear(&mut self) {
        let record = &mut self.record;
        record.result = TransactionResult::default();
        (record.trace, record.queued) = (None, None);
        self.spans.clear(record);
        if let Some(request) = &mut record.request {
            request.clear();
        }
        record.user = None;
        record.response_headers.clear();
        record.tags.clear();
        record.extra.clear();
        self.log_lines.clear();
        (self.is_renamed, self.has_route, self.has_result) = (false, false, false);
        (self.has_panicked, self.ended) = (false, false);
        (self.outcome, self.error) = (None, None);
        (self.trace_state, self.baggage, self.polls) = (None, None, None);
    }
}

/// Changes by the application and its adapter. Callers check first that the transaction has not ended, by
/// [`Active::change`](super::Active::change). Only routes and errors are noted after the end too.
impl TransactionState {
    pub(crate) fn rename(&mut self, name: TransactionName) {
        self.record.name = name.cut();
        self.is_renamed = true;
    }

    /// Sets the name to that of the route, unless the application has set one. Unlike the other changes, it notes the
    /// route even after the end.
    #[inline]
    pub(super) fn set_route_name(&mut self, name: TransactionName) {
        self.has_route = true;
        if !self.is_renamed && !self.ended {
            self.record.name = name.cut();
        }
    }

    pub(crate) fn set_result(&mut self, result: TransactionResult) {
        self.record.result = result;
        self.has_result = true;
    }

    pub(crate) fn set_outcome(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    pub(crate) fn set_user(&mut self, user: User) {
        self.record.user = Some(user);
    }

    pub(crate) fn set_tag(&mut self, (key, value): (Cow<'static, str>, Value)) {
        set(&mut self.record.tags, key, value);
    }

    pub(crate) fn set_extra(&mut self, (key, value): (Cow<'static, str>, Value)) {
        set(&mut self.record.extra, key, value);
    }

    pub(crate) fn set_request_body(&mut self, body: String) {
        if let Some(request) = &mut self.record.request {
            request.set_body(Some(body));
        }
    }

    pub(crate) fn add_response_header(&mut self, (name, value): (String, Value)) {
        if self.record.response_headers.len() < MAX_VALUES {
            self.record.response_headers.push((name.into(), value));
        }
    }

    pub(crate) fn set_remote_trace(&mut self, parent: TraceParent) {
        self.record.trace = Some(parent);
    }

    pub(crate) fn set_queued(&mut self, queued: Option<Duration>) {
        self.record.queued = queued;
    }

    pub(crate) fn set_trace_state(&mut self, trace_state: String) {
        self.trace_state = Some(trace_state).filter(|state| !state.is_empty());
    }

    pub(crate) fn set_baggage(&mut self, baggage: &str) {
        self.baggage = valid_baggage(std::iter::once(baggage));
    }

    /// Records an error that ended or will end the transaction.
    #[cold]
    pub(super) fn note_error(&mut self, record: &ErrorRecord) {
        self.has_panicked |= record.origin == Origin::Panicked;
        PrimaryError::note(&mut self.error, record);
    }

    pub(super) fn note_poll(&mut self, took: u64) {
        let polls = self.polls.get_or_insert_default();
        polls.busy += took;
        polls.longest = polls.longest.max(took);
    }
}

/// The trace.
impl TransactionState {
    /// Returns the trace that the transaction's caller began.
    pub(super) fn remote_trace(&self) -> Option<TraceParent> {
        self.record.trace.or_else(|| self.record.request.as_ref().and_then(RequestRecord::trace_parent))
    }

    /// Returns the `tracestate` that calls to other services pass on.
    pub(super) fn trace_state(&self) -> Option<String> {
        self.trace_state.clone().or_else(|| self.record.request.as_ref().and_then(remote_trace_state))
    }

    /// Returns the baggage that calls to other services pass on.
    pub(super) fn baggage(&self) -> Option<String> {
        self.baggage.clone().or_else(|| self.record.request.as_ref().and_then(remote_baggage))
    }
}

/// The spans.
impl TransactionState {
    pub(super) fn start_span(&mut self, new: NewSpan) -> Option<StartedSpan> {
        if self.ended {
            count_span_without_transaction();
            return None;
        }
        Some(self.spans.start(&mut self.record, new))
    }

    /// Ends a span at a time after the start of the transaction.
    pub(super) fn end_span(
        &mut self,
        span: &mut StartedSpan,
        end: Duration,
        is_leaf: bool,
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        if self.ended {
            return None;
        }
        match span {
            StartedSpan::Kept(span) => self.spans.end(&mut self.record, *span, end, is_leaf, n_plus_one),
            StartedSpan::Unkept(span) => {
                self.spans.end_unkept(&mut self.record, mem::take(&mut **span), end, is_leaf, n_plus_one)
            }
        }
    }

    /// Records a span that has ended already.
    pub(super) fn add_span(
        &mut self,
        mut new: NewSpan,
        end: Duration,
        (is_leaf, extra): (bool, Values),
        n_plus_one: u32,
    ) -> Option<EndedSpan> {
        if self.ended {
            count_span_without_transaction();
            return None;
        }
        new.start = self.spans.start_in_parent(&self.record, &new).min(end);
        let took = end.saturating_sub(new.start);
        self.spans.add(&mut self.record, new, (took, is_leaf), extra, n_plus_one)
    }

    /// Replaces the description of a span that is about to end.
    pub(super) fn describe_span(&mut self, span: &mut StartedSpan, mut new: NewSpan, extra: Values) {
        if self.ended {
            return;
        }
        match span {
            StartedSpan::Kept(span) => self.spans.describe(&mut self.record, *span, new, extra),
            StartedSpan::Unkept(unkept) => {
                new.parent = unkept.parent;
                **unkept = new;
            }
        }
    }

    pub(super) fn set_span_value(&mut self, span: SpanRef, key: Cow<'static, str>, value: Value) {
        if !self.ended {
            self.spans.set_value(&self.record, span, (key, value));
        }
    }

    /// Returns `current` if that span still runs, or else its nearest ancestor that does.
    pub(super) fn nearest_running_span(&self, current: Option<SpanRef>) -> Option<SpanRef> {
        self.spans.nearest_running(&self.record, current)
    }

    /// Notes that a `traceparent` with this id was taken from a span.
    pub(super) fn set_span_id(&mut self, span: SpanRef, id: u64) {
        if !self.ended {
            self.spans.set_id(&mut self.record, span, id);
        }
    }

    pub(super) fn set_span_stack(&mut self, span: SpanRef, stack: Arc<[usize]>) {
        if !self.ended {
            self.spans.set_stack(&mut self.record, span, stack);
        }
    }

    pub(super) fn note_unknown_stack(&mut self, span: SpanRef, is_foreign: bool) {
        self.spans.note_unknown_stack(&self.record, span, is_foreign);
    }

    pub(super) fn give_up_stack(&mut self, span: SpanRef) {
        self.spans.give_up_stack(&self.record, span);
    }

    pub(super) fn is_call_site_wanted(&self) -> bool {
        !self.ended && self.spans.is_call_site_wanted()
    }

    pub(super) fn set_call_site(&mut self, stack: Arc<[usize]>) {
        self.spans.set_call_site(stack);
    }

    /// Returns a copy of a span's record.
    pub(super) fn span(&self, span: SpanRef) -> Option<SpanRecord> {
        self.spans.record_of(&self.record, span)
    }
}

/// Adds facts from the request's headers that only samples show.
fn with_request_facts(mut record: TransactionRecord) -> TransactionRecord {
    if let Some(request) = &record.request {
        record.trace = record.trace.or_else(|| request.trace_parent());
        record.queued = request.queued_before(record.started_at);
        record.request_bytes = request.header("content-length").and_then(|length| length.trim().parse().ok());
    }
    record
}

/// Sets a value by its key, and replaces an earlier one. New keys are ignored when [`MAX_VALUES`] is reached.
fn set(values: &mut Values, key: Cow<'static, str>, value: Value) {
    if let Some((_, old)) = values.iter_mut().find(|(known, _)| *known == key) {
        *old = value;
    } else if values.len() < MAX_VALUES {
        values.push((key, value));
    }
}

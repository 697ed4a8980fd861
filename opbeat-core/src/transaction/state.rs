//! What changes while a transaction runs.

use std::borrow::Cow;
use std::mem;
use std::time::{Duration, Instant};

use super::End;
use super::primary_error::PrimaryError;
use super::span::count_lost;
use super::span_values::SpanValues;
use super::trace::remote_trace;
use crate::pipeline::Recorder;
use crate::record::{
    ErrorRecord, Origin, Outcome, SpanRecord, TransactionName, TransactionRecord, TransactionResult, Value,
};

/// Tags and extra values beyond this many are left out.
const MAX_VALUES: usize = 64;

/// Room for more spans than this is not kept for the next transaction.
const MAX_KEPT_SPANS: usize = 64;

pub(super) type Values = Vec<(Cow<'static, str>, Value)>;

/// What changes while a transaction runs: the record in the making, and what decides how it ends.
#[derive(Default)]
pub(super) struct State {
    pub(super) record: TransactionRecord,
    /// The application chose the name, so that the adapter's does not replace it.
    pub(super) renamed: bool,
    /// The name is a route's.
    pub(super) has_route: bool,
    /// The application chose the result.
    pub(super) has_result: bool,
    /// The application chose the outcome.
    pub(super) outcome: Option<Outcome>,
    pub(super) ended: bool,
    /// The report that its failure is known by.
    pub(super) error: Option<Box<PrimaryError>>,
    /// A panic was reported.
    pub(super) has_panicked: bool,
    span_values: SpanValues,
    /// What the trace's other participants want to be passed on, where no request has brought it.
    pub(super) trace_state: Option<String>,
    /// The polls of a transaction that is no request's.
    pub(super) polls: Option<Polls>,
}

/// Polls of a future, added up.
#[derive(Clone, Copy, Default)]
pub(super) struct Polls {
    pub(super) busy: Duration,
    pub(super) longest: Duration,
}

impl State {
    /// Ends the transaction, counts it, and keeps it whole if it is chosen as a sample. A second call does nothing.
    ///
    /// A result and an outcome that the application chose stay, unless the end was forced. What others still look at stays
    /// as well: then a sample is a copy.
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
        record.duration = end.duration;
        if let Some(position) = recorder.count(record, started) {
            let polled = self.polls.map(|polls| polls.busy);
            (record.head, record.busy) =
                (end.head.map(Duration::from_nanos), end.busy.map(Duration::from_nanos).or(polled));
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

    /// Names the transaction by its route, unless the application has named it.
    #[inline]
    pub(super) fn name(&mut self, name: TransactionName) {
        self.has_route = true;
        if !self.renamed && !self.ended {
            self.record.name = name.cut();
        }
    }

    /// Returns `index` if that span still runs, else the nearest span around it that does.
    pub(super) fn running(&self, mut index: Option<u32>) -> Option<u32> {
        while let Some(span) = index.and_then(|index| self.record.spans.get(index as usize)) {
            if span.duration.is_none() {
                return index;
            }
            index = span.parent.and_then(|parent| u32::try_from(parent).ok());
        }
        None
    }

    /// Notes an error that ended or will end the transaction.
    #[cold]
    pub(super) fn note_error(&mut self, record: &ErrorRecord) {
        self.has_panicked |= record.origin == Origin::Panicked;
        PrimaryError::note(&mut self.error, record);
    }

    pub(super) fn start_span(&mut self, span: SpanRecord, most: usize) -> Option<u32> {
        if self.ended {
            count_lost();
            return None;
        }
        if self.record.spans.len() >= most {
            self.record.dropped_spans = self.record.dropped_spans.saturating_add(1);
            return None;
        }
        let index = u32::try_from(self.record.spans.len()).ok()?;
        self.record.spans.push(span);
        Some(index)
    }

    pub(super) fn end_span(&mut self, index: u32, now: Duration) {
        if !self.ended
            && let Some(span) = self.record.spans.get_mut(index as usize)
        {
            span.duration = Some(now.saturating_sub(span.start));
        }
    }

    pub(super) fn set_span_value(&mut self, index: u32, key: Cow<'static, str>, value: Value) {
        if !self.ended {
            self.span_values.set(index, key, value);
        }
    }

    /// Returns what is known of a span.
    pub(super) fn span(&self, index: u32) -> Option<SpanRecord> {
        let mut span = self.record.spans.get(index as usize)?.clone();
        span.extra.extend(self.span_values.of(index));
        Some(span)
    }

    pub(super) fn note_poll(&mut self, took: Duration) {
        let polls = self.polls.get_or_insert_default();
        polls.busy += took;
        polls.longest = polls.longest.max(took);
    }

    /// Returns the whole record: moved out, or copied where it has to stay.
    #[cold]
    fn whole_record(&mut self, stays: bool) -> TransactionRecord {
        self.span_values.move_into(&mut self.record.spans);
        if stays { self.record.clone() } else { mem::take(&mut self.record) }
    }

    /// Empties the state for the next transaction, and keeps its memory.
    pub(super) fn clear(&mut self) {
        let record = &mut self.record;
        record.result = TransactionResult::default();
        (record.trace, record.dropped_spans) = (None, 0);
        if !record.spans.is_empty() {
            record.spans.clear();
            record.spans.shrink_to(MAX_KEPT_SPANS);
            self.span_values.clear();
        }
        if let Some(request) = &mut record.request {
            request.clear();
        }
        record.user = None;
        record.tags.clear();
        record.extra.clear();
        (self.renamed, self.has_route, self.has_result) = (false, false, false);
        (self.has_panicked, self.ended) = (false, false);
        (self.outcome, self.error) = (None, None);
        (self.trace_state, self.polls) = (None, None);
    }
}

impl End {
    /// Returns what the transaction is counted under: its status, unless its outcome tells more.
    fn result(&self, outcome: Outcome) -> TransactionResult {
        match self.status {
            Some(status) if Outcome::of_status(status) == outcome => status.into(),
            _ => (self.words)(outcome).into(),
        }
    }
}

/// Reads out of the request what is only looked at in samples.
fn with_request_facts(mut record: TransactionRecord) -> TransactionRecord {
    if let Some(request) = &record.request {
        record.trace = record.trace.or_else(|| remote_trace(request));
        record.queued = request.queued_before(record.started_at);
    }
    record
}

/// Sets a value by its key; the last one wins.
pub(super) fn set(values: &mut Values, key: Cow<'static, str>, value: Value) {
    if let Some((_, old)) = values.iter_mut().find(|(known, _)| *known == key) {
        *old = value;
    } else if values.len() < MAX_VALUES {
        values.push((key, value));
    }
}

//! Traces: spans become transactions and their spans, and recorded exceptions become errors.

use std::collections::BTreeMap;

use opbeat_protocol::{ErrorBody, Timestamp};

use super::attributes::Attributes;
use super::exceptions::{Thrown, event_error, span_error};
use super::limit;
use super::messages::{ExportTraces, ResourceSpans, Span, SpanEvent};
use super::resource::Source;
use super::spans::{Described, described};
use super::telemetry::{Outcome, Request, Telemetry};
use super::transactions::transaction;
use crate::changes::{Changes, ErrorSpan, NoteAction, SpanId, TraceId, id_text};
use crate::decode::Report;
use crate::interpret::{Origin, TracedSpan, interpret, interpret_span};
use crate::text::start_of;

/// The largest number of exceptions that are stored of one span. The first ones are kept.
const MAX_EXCEPTIONS: usize = 100;

/// The maximum length of a scope's name, in characters. Longer names are cut.
const MAX_SCOPE: usize = 200;

impl Telemetry for ExportTraces {
    fn sources(&self) -> Vec<Source> {
        self.resource_spans.iter().map(|resource| Source::of(resource.resource.as_ref())).collect()
    }

    fn outcome(&self, request: &Request) -> Outcome {
        let mut outcome = Outcome::new(request);
        // The spans that are no transactions, by app. The store recognises those that arrive again.
        let mut spans: BTreeMap<&str, Changes> = BTreeMap::new();
        for (resource, (source, app)) in self.resource_spans.iter().zip(&request.destinations) {
            match app {
                Ok(app_id) => {
                    let origin = Origin { app_id: app_id.clone(), received: request.received, ..Origin::default() };
                    let of_app = spans.entry(app_id).or_default();
                    add_resource(request, resource, source, &origin, of_app, &mut outcome);
                }
                Err(reason) => outcome.reject(request, count(resource), "unknown_service", reason),
            }
        }
        for (app_id, changes) in spans {
            if !changes.spans.is_empty() {
                outcome.add(app_id, request.received, String::new(), changes);
            }
        }
        outcome
    }
}

fn count(resource: &ResourceSpans) -> usize {
    resource.scope_spans.iter().map(|scope| scope.spans.len()).sum()
}

fn add_resource(
    request: &Request,
    resource: &ResourceSpans,
    source: &Source,
    origin: &Origin,
    of_app: &mut Changes,
    outcome: &mut Outcome,
) {
    let (mut invalid, mut surplus, mut without_transaction, mut without_time) = (0, 0, 0, 0);
    let mut surplus_errors = SurplusErrors::default();
    for scope in &resource.scope_spans {
        let scope_name = scope.scope.as_ref().map(|scope| scope.name.as_str()).unwrap_or_default();
        // It is searched for each span.
        let scope_name = start_of(scope_name, MAX_SCOPE);
        for span in &scope.spans {
            let Some(ids) = Ids::of(span) else {
                invalid += 1;
                continue;
            };
            if !outcome.takes_item() {
                surplus += 1;
                continue;
            }
            if let Some(traced) = traced(span, &ids, source, scope_name, origin) {
                let is_transaction = traced.transaction.is_some();
                let changes = interpret_span(origin, traced);
                if !outcome.takes_changes(&changes) {
                    surplus += 1;
                    continue;
                }
                if is_transaction {
                    outcome.add(&origin.app_id, origin.received, ids.key(), changes);
                } else {
                    of_app.merge(changes);
                }
                without_time += usize::from(Times::of(span, origin).is_replaced);
            } else {
                without_transaction += 1;
            }
            add_errors(span, &ids, source, origin, outcome, &mut surplus_errors);
        }
    }
    outcome.reject(request, invalid, "invalid_id", "the id of a trace or of a span is missing or invalid");
    let reason = outcome.surplus_reason();
    outcome.reject(request, surplus, "too_large", &reason);
    outcome.leave_out(request, surplus_errors.of_request, "too_large", &reason);
    let reason = format!("a span has more than {MAX_EXCEPTIONS} exceptions; the others are left out");
    outcome.leave_out(request, surplus_errors.of_spans, "too_many_exceptions", &reason);
    outcome.note(request, NoteAction::Changed, without_transaction, "no_transaction");
    outcome.note(request, NoteAction::Changed, without_time, "no_span_time");
}

/// The ids of a span.
struct Ids {
    trace: TraceId,
    span: SpanId,
    parent: SpanId,
}

impl Ids {
    /// Returns the ids of a span, unless they are missing or invalid.
    fn of(span: &Span) -> Option<Self> {
        let trace: TraceId = span.trace_id.as_slice().try_into().ok()?;
        let id: SpanId = span.span_id.as_slice().try_into().ok()?;
        let parent: SpanId = span.parent_span_id.as_slice().try_into().unwrap_or_default();
        let is_valid = trace != TraceId::default() && id != SpanId::default();
        is_valid.then_some(Self { trace, span: id, parent })
    }

    /// Returns the key under which the span is stored once.
    fn key(&self) -> String {
        format!("otlp:{}:{}", id_text(&self.trace), id_text(&self.span))
    }
}

/// Returns a span with what it stands for.
///
/// A span without a parent that is no transaction, such as a database query outside of all work, is left out: it belongs
/// to no transaction.
fn traced(span: &Span, ids: &Ids, source: &Source, scope: &str, origin: &Origin) -> Option<TracedSpan> {
    let transaction = transaction(span, source);
    if transaction.is_none() && ids.parent == SpanId::default() {
        return None;
    }
    let times = Times::of(span, origin);
    let Described { mut signature, kind, mut extra } = described(span, scope);
    limit::name(&mut signature);
    limit::extra(&mut extra);
    Some(TracedSpan {
        trace_id: ids.trace,
        span_id: ids.span,
        parent_id: ids.parent,
        started_at: times.started_at,
        duration_ms: times.duration_ms,
        signature,
        kind,
        extra,
        transaction,
    })
}

/// The times of a span.
struct Times {
    started_at: Timestamp,
    duration_ms: f64,
    /// Whether the span has no start or no end, or ends before it starts. Its duration is 0 then.
    is_replaced: bool,
}

impl Times {
    fn of(span: &Span, origin: &Origin) -> Self {
        let (start, end) = (span.start_time_unix_nano, span.end_time_unix_nano);
        let known = [start, end].into_iter().find(|time| *time > 0);
        let duration = end.checked_sub(start).filter(|_| start > 0 && end > 0);
        Self {
            started_at: known.map_or(origin.received, micros),
            duration_ms: duration.unwrap_or(0) as f64 / 1e6,
            is_replaced: duration.is_none(),
        }
    }
}

/// The exceptions that are left out.
#[derive(Default)]
struct SurplusErrors {
    /// Those of spans that have too many.
    of_spans: usize,
    /// Those for which the request has no room.
    of_request: usize,
}

/// Adds the exceptions that were recorded in a span. Each of them is an item of the request, as the span is.
fn add_errors(
    span: &Span,
    ids: &Ids,
    source: &Source,
    origin: &Origin,
    outcome: &mut Outcome,
    surplus: &mut SurplusErrors,
) {
    let mut of_span: Option<ErrorBody> = None;
    let is_exception = |(_, event): &(usize, &SpanEvent)| Thrown::is_in(Attributes(&event.attributes));
    for (position, (index, event)) in span.events.iter().enumerate().filter(is_exception).enumerate() {
        if position >= MAX_EXCEPTIONS {
            surplus.of_spans += 1;
            continue;
        }
        if !outcome.takes_item() {
            surplus.of_request += 1;
            continue;
        }
        let Some(thrown) = Thrown::of(Attributes(&event.attributes), source.language) else { continue };
        let of_span = of_span.get_or_insert_with(|| span_error(span, source));
        let hash = thrown.hash();
        let happened_at = (event.time_unix_nano > 0).then(|| micros(event.time_unix_nano));
        let body = event_error(of_span, thrown, happened_at);
        let mut changes = interpret(origin, Report::Error(Box::new(body)).into());
        for error in &mut changes.errors {
            error.span = Some(ErrorSpan {
                trace_id: ids.trace,
                span_id: ids.span,
                received_at: origin.received.micros(),
                exception: Some(hash),
                is_log: false,
            });
        }
        if !outcome.takes_changes(&changes) {
            surplus.of_request += 1;
            continue;
        }
        outcome.add(&origin.app_id, origin.received, format!("{}:{index}", ids.key()), changes);
    }
}

/// Returns a time in nanoseconds since 1970.
pub(super) fn micros(nanos: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
}

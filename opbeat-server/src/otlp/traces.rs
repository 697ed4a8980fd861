//! Traces: spans become transactions and their spans, and recorded exceptions become errors.

use std::collections::BTreeMap;

use opbeat_protocol::Timestamp;

use super::attributes::Attributes;
use super::exceptions::{Thrown, event_error};
use super::messages::{ExportTraces, ResourceSpans, Span};
use super::resource::Source;
use super::spans::described;
use super::telemetry::{MAX_ITEMS, Outcome, Request, Telemetry};
use super::transactions::transaction;
use crate::changes::{Changes, ErrorSpan, NoteAction, SpanId, TraceId, id_text};
use crate::decode::Report;
use crate::interpret::{Origin, TracedSpan, interpret, interpret_span};

impl Telemetry for ExportTraces {
    fn sources(&self) -> Vec<Source> {
        self.resource_spans.iter().map(|resource| Source::of(resource.resource.as_ref())).collect()
    }

    fn outcome(&self, request: &Request) -> Outcome {
        let mut outcome = Outcome::default();
        let mut left = MAX_ITEMS;
        // The spans that are no transactions, by app. The store recognises those that arrive again.
        let mut spans: BTreeMap<&str, Changes> = BTreeMap::new();
        for (resource, (source, app)) in self.resource_spans.iter().zip(&request.destinations) {
            match app {
                Ok(app_id) => {
                    let origin = Origin { app_id: app_id.clone(), received: request.received, ..Origin::default() };
                    let of_app = spans.entry(app_id).or_default();
                    add_resource(request, resource, source, &origin, &mut left, of_app, &mut outcome);
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
    left: &mut usize,
    of_app: &mut Changes,
    outcome: &mut Outcome,
) {
    let (mut invalid, mut surplus, mut without_transaction, mut without_time) = (0, 0, 0, 0);
    for scope in &resource.scope_spans {
        let scope_name = scope.scope.as_ref().map(|scope| scope.name.as_str()).unwrap_or_default();
        for span in &scope.spans {
            let Some(ids) = Ids::of(span) else {
                invalid += 1;
                continue;
            };
            let Some(rest) = left.checked_sub(1) else {
                surplus += 1;
                continue;
            };
            *left = rest;
            add_errors(span, &ids, source, origin, outcome);
            if let Some(traced) = traced(span, &ids, source, scope_name, origin) {
                let is_transaction = traced.transaction.is_some();
                let changes = interpret_span(origin, traced);
                if is_transaction {
                    outcome.add(&origin.app_id, origin.received, ids.key(), changes);
                } else {
                    of_app.merge(changes);
                }
                without_time += usize::from(Times::of(span, origin).is_replaced);
            } else {
                without_transaction += 1;
            }
        }
    }
    outcome.reject(request, invalid, "invalid_id", "the id of a trace or of a span is missing or invalid");
    let reason = format!("a request has more than {MAX_ITEMS} spans; send smaller batches");
    outcome.reject(request, surplus, "too_large", &reason);
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
    let described = described(span, scope);
    Some(TracedSpan {
        trace_id: ids.trace,
        span_id: ids.span,
        parent_id: ids.parent,
        started_at: times.started_at,
        duration_ms: times.duration_ms,
        signature: described.signature,
        kind: described.kind,
        extra: described.extra,
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

/// Adds the exceptions that were recorded in a span.
fn add_errors(span: &Span, ids: &Ids, source: &Source, origin: &Origin, outcome: &mut Outcome) {
    for (index, event) in span.events.iter().enumerate() {
        let Some(thrown) = Thrown::of(Attributes(&event.attributes), source.language) else { continue };
        let hash = thrown.hash();
        let happened_at = (event.time_unix_nano > 0).then(|| micros(event.time_unix_nano));
        let body = event_error(span, thrown, source, happened_at);
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
        outcome.add(&origin.app_id, origin.received, format!("{}:{index}", ids.key()), changes);
    }
}

/// Returns a time in nanoseconds since 1970.
pub(super) fn micros(nanos: u64) -> Timestamp {
    Timestamp::from_micros(i64::try_from(nanos / 1_000).unwrap_or(i64::MAX))
}

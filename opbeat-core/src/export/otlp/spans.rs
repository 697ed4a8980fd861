//! From a sampled transaction to spans.

use super::attributes::Attributes;
use super::error_attributes::{self, full_type};
use super::messages::{Event, Span, SpanKind, Status, StatusCode};
use super::request_attributes::{self, Role};
use super::span_attributes::{Described, describe};
use super::time::{duration_nanos, nanos};
use super::trace_ids::{TraceIds, bytes};
use crate::record::{ErrorRecord, SpanRecord, TransactionRecord, TransactionResult};

/// The flags of a span: those of `traceparent`, and whether the parent is in another process.
const SAMPLED: u32 = 0x1;
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// Returns the spans of a transaction: its own, which has its errors as events, and one for each of its spans.
pub(super) fn spans(record: &TransactionRecord, errors: &[&ErrorRecord]) -> Vec<Span> {
    let ids = TraceIds::of(record);
    let own = transaction_span(record, errors, ids);
    let others = record.spans.iter().enumerate().map(|(index, span)| child_span(record, span, index, ids));
    std::iter::once(own).chain(others).collect()
}

fn transaction_span(record: &TransactionRecord, errors: &[&ErrorRecord], ids: TraceIds) -> Span {
    let role = Role::of(&record.kind);
    let mut attributes = Attributes::default();
    request_attributes::set(record, role, &mut attributes);
    let is_failure = record.outcome.is_failure();
    if is_failure {
        attributes.set("error.type", error_type(record, errors));
    }
    let start = nanos(record.started_at);
    Span {
        trace_id: ids.trace(),
        span_id: ids.transaction(),
        parent_span_id: record.trace.map(|trace| bytes(trace.parent_id)).unwrap_or_default(),
        name: record.name.to_string(),
        kind: kind(record, role).into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(duration_nanos(record.duration)),
        attributes: attributes.into_list(),
        events: errors.iter().map(|error| event(error)).collect(),
        status: is_failure.then(|| failed(status_message(record, errors))),
        flags: flags(record),
    }
}

/// Returns the role of a transaction's span. A job that another process started has received its trace in a message.
fn kind(record: &TransactionRecord, role: Role) -> SpanKind {
    match role {
        Role::Request | Role::Call => SpanKind::Server,
        Role::Job if record.trace.is_some() && record.parent.is_none() => SpanKind::Consumer,
        Role::Job => SpanKind::Internal,
    }
}

fn flags(record: &TransactionRecord) -> u32 {
    let is_remote = record.trace.is_some() && record.parent.is_none();
    let sampled = record.trace.is_none_or(|trace| trace.sampled);
    HAS_IS_REMOTE | if is_remote { IS_REMOTE } else { 0 } | if sampled { SAMPLED } else { 0 }
}

/// Returns the reason of a failure: the type of its error, or else the status, or else the outcome.
fn error_type(record: &TransactionRecord, errors: &[&ErrorRecord]) -> String {
    if let Some(full) = errors.iter().find_map(|error| full_type(error)) {
        return full;
    }
    match record.result {
        TransactionResult::Status(status) if status >= 400 => status.to_string(),
        _ => record.outcome.to_string(),
    }
}

/// Returns the description of a failure. It is empty if the status code of the response describes it.
fn status_message(record: &TransactionRecord, errors: &[&ErrorRecord]) -> String {
    match (errors.first(), &record.result) {
        (Some(error), _) => error.message.clone(),
        (None, TransactionResult::Status(status)) if *status >= 400 => String::new(),
        (None, _) => record.outcome.to_string(),
    }
}

fn failed(message: String) -> Status {
    Status { message, code: StatusCode::Error.into() }
}

fn child_span(record: &TransactionRecord, span: &SpanRecord, index: usize, ids: TraceIds) -> Span {
    let mut attributes = Attributes::default();
    let Described { name, kind, is_error } = describe(span, &mut attributes);
    if span.duration.is_none() {
        attributes.set("opbeat.truncated", true);
    }
    let start = nanos(record.started_at).saturating_add(duration_nanos(span.start));
    let duration = span.duration.unwrap_or_else(|| record.duration.saturating_sub(span.start));
    Span {
        trace_id: ids.trace(),
        span_id: ids.span(span, index),
        parent_span_id: parent_id(record, span, ids),
        name,
        kind: kind.into(),
        start_time_unix_nano: start,
        end_time_unix_nano: start.saturating_add(duration_nanos(duration)),
        attributes: attributes.into_list(),
        events: Vec::new(),
        status: is_error.then(|| failed(String::new())),
        flags: HAS_IS_REMOTE | flags(record) & SAMPLED,
    }
}

fn parent_id(record: &TransactionRecord, span: &SpanRecord, ids: TraceIds) -> Vec<u8> {
    let parent = span.parent.and_then(|index| Some((record.spans.get(index)?, index)));
    parent.map_or_else(|| ids.transaction(), |(parent, index)| ids.span(parent, index))
}

fn event(error: &ErrorRecord) -> Event {
    let mut attributes = Attributes::default();
    error_attributes::set(error, &mut attributes);
    Event { time_unix_nano: nanos(error.happened_at), name: "exception".to_owned(), attributes: attributes.into_list() }
}

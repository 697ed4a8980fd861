//! Spans that stand for transactions: requests, calls, messages and jobs.

use opbeat_protocol::SampleContext;
use serde_json::{Map, Value, json};

use super::attributes::{Attributes, MAX_READ};
use super::http::{METHOD, STATUS, is_http, request};
use super::limit;
use super::messages::{Span, SpanKind};
use super::resource::Source;
use crate::changes::id_text;
use crate::interpret::TracedTransaction;
use crate::result_class::ResultClass;
use crate::text::start_of;

/// The names of the status codes of gRPC.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// The attributes with the name of the system of a remote procedure call.
const RPC_SYSTEM: [&str; 2] = ["rpc.system.name", "rpc.system"];

/// Returns the transaction that a span stands for.
///
/// Server and consumer spans are transactions, and so are internal spans at the start of their trace or process.
pub(super) fn transaction(span: &Span, source: &Source) -> Option<TracedTransaction> {
    let attributes = Attributes(&span.attributes);
    let kind = match span.role() {
        SpanKind::Server if attributes.text(&RPC_SYSTEM).is_some() => "rpc",
        SpanKind::Server => "request",
        SpanKind::Consumer => "message",
        SpanKind::Internal if span.is_entry() => "job",
        SpanKind::Internal | SpanKind::Client | SpanKind::Producer => return None,
    };
    let mut context = context(span, attributes, source);
    limit::context(&mut context);
    Some(TracedTransaction { name: name(span, attributes), kind: kind.to_owned(), context })
}

/// Returns the method and the route of a request, or else the name of the span.
pub(super) fn name(span: &Span, attributes: Attributes<'_>) -> String {
    let route = attributes.text(&["http.route"]).filter(|_| span.role() == SpanKind::Server);
    let mut name = match (attributes.text(&METHOD), route) {
        // Unknown methods are sent as `_OTHER`, so that names are few.
        (Some("_OTHER"), Some(route)) => format!("HTTP {route}"),
        (Some(method), Some(route)) => format!("{method} {route}"),
        _ => start_of(&span.name, MAX_READ).to_owned(),
    };
    limit::name(&mut name);
    name
}

fn context(span: &Span, attributes: Attributes<'_>, source: &Source) -> SampleContext {
    let result = result(span, attributes);
    let outcome = outcome(span, &result);
    let tags = tags(source);
    let extra = attributes.rest(is_http);
    SampleContext {
        id: Some(id_text(&span.span_id)),
        trace_id: Some(id_text(&span.trace_id)),
        result: Some(result),
        outcome: Some(outcome.to_owned()),
        rev: source.release.clone(),
        http: request(attributes).map(Value::Object),
        user: user(attributes).map(Value::Object),
        tags: Some(Value::Object(tags)).filter(|tags| *tags != json!({})),
        extra: Some(Value::Object(extra)).filter(|extra| *extra != json!({})),
        ..SampleContext::default()
    }
}

/// Returns the tags that all data of a source has.
pub(super) fn tags(source: &Source) -> Map<String, Value> {
    let tags = [("environment", &source.environment), ("host", &source.host)];
    tags.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?.into()))).collect()
}

/// Returns the user, if the application reports one.
pub(super) fn user(attributes: Attributes<'_>) -> Option<Map<String, Value>> {
    let values = [
        ("id", attributes.text(&["user.id", "enduser.id"])),
        ("username", attributes.text(&["user.name"])),
        ("email", attributes.text(&["user.email"])),
    ];
    let user: Map<String, Value> =
        values.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect();
    (!user.is_empty()).then_some(user)
}

/// Returns the status of the response. `error` takes the place of a status that does not report the failure of the
/// span, since results describe the end: a response can begin with 200 and fail later.
fn result(span: &Span, attributes: Attributes<'_>) -> Value {
    if let Some(status) = attributes.number(&STATUS) {
        return if span.is_error() && status < 400 { "error".into() } else { status.into() };
    }
    let grpc = attributes.number(&["rpc.grpc.status_code"]).and_then(|code| usize::try_from(code).ok());
    let code = grpc.and_then(|code| GRPC_CODES.get(code).copied());
    match code.or_else(|| attributes.text(&["rpc.response.status_code"])) {
        Some(code) if code != "OK" || !span.is_error() => code.into(),
        _ if span.is_error() => "error".into(),
        _ => "ok".into(),
    }
}

fn outcome(span: &Span, result: &Value) -> &'static str {
    let class = ResultClass::of(&result.as_str().map_or_else(|| result.to_string(), str::to_owned));
    match class {
        ResultClass::Failed => "server_error",
        ResultClass::ClientError => "client_error",
        _ if span.is_error() => "server_error",
        _ => "ok",
    }
}

//! The bodies of the soak: errors, durations and spans, as agents and exporters send them.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};
use prost::Message;
use serde_json::{Value, json};

use crate::load::zlib;

/// The number of groups of errors, and of names of transactions from each source.
pub(crate) const GROUPS: usize = 100;
pub(crate) const NAMES: usize = 20;

/// The size of an error before it is compressed, in bytes.
const ERROR_BYTES: usize = 10_000;

/// The number of durations of each name in a body, and of traces and spans in each trace.
const DURATIONS: usize = 180;
const TRACES: usize = 9;
const SPANS: usize = 10;

/// The bodies of one part of the load: ten errors, one body of durations and one of spans.
const PART: u64 = 12;

/// The duration of the root span of a trace, in milliseconds.
const ROOT_MS: u64 = 20;

/// The part of a load of one error a second that is each kind: half of the cost is that of errors. The server can store
/// 15 spans or 900 durations for the cost of an error.
const ERRORS_OF_RATE: f64 = 0.5;

/// The things that a body contains, which are counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// An error of a group.
    Error(usize),
    /// Durations of all names.
    Durations,
    /// Traces, of which the first has a name with this number, and the further ones have the next names.
    Spans(usize),
}

/// The bodies that can be made before the run.
#[derive(Debug)]
pub(crate) struct Bodies {
    errors: Vec<Vec<u8>>,
    durations: Vec<u8>,
    /// The upper half of the ids of all traces of a run.
    run: u64,
}

impl Bodies {
    pub(crate) fn new() -> Self {
        let errors = (0..GROUPS).map(|group| error(&format!("Error{group}"))).collect();
        Self { errors, durations: durations(), run: fastrand::u64(1..) }
    }

    /// Returns the number of bodies a second that cost the server as much as a rate of errors.
    pub(crate) fn per_second(rate: f64) -> f64 {
        rate * ERRORS_OF_RATE * PART as f64 / (PART - 2) as f64
    }

    /// Returns the numbers of errors, durations and spans in a number of bodies.
    pub(crate) fn events(bodies: f64) -> [f64; 3] {
        let part = bodies / PART as f64;
        [part * (PART - 2) as f64, part * (NAMES * DURATIONS) as f64, part * (TRACES * SPANS) as f64]
    }

    /// Returns the content of the body with a number.
    pub(crate) fn content(number: u64) -> Content {
        let of = |count: usize| (number / PART) as usize % count;
        match number % PART {
            0 => Content::Durations,
            6 => Content::Spans(of(NAMES)),
            _ => Content::Error(number as usize % GROUPS),
        }
    }

    /// Returns the body with a number.
    pub(crate) fn body(&self, number: u64) -> std::borrow::Cow<'_, [u8]> {
        match Self::content(number) {
            Content::Error(group) => self.errors[group].as_slice().into(),
            Content::Durations => self.durations.as_slice().into(),
            Content::Spans(name) => spans(self.run, number, name).into(),
        }
    }
}

/// Returns the number and the sum in milliseconds of the durations of a name in a body.
pub(crate) fn durations_of(name: usize) -> (u64, u64) {
    (DURATIONS as u64, (0..DURATIONS).map(|index| duration(name, index)).sum())
}

/// Returns the number of traces with a name in a body of spans, and the sum of their durations in milliseconds.
pub(crate) fn traces_of(first: usize, name: usize) -> (u64, u64) {
    let count = (0..TRACES).filter(|trace| (first + trace) % NAMES == name).count() as u64;
    (count, count * ROOT_MS)
}

/// Returns a compressed error of about 10 KB. Errors with the same type are in one group.
pub(crate) fn error(type_name: &str) -> Vec<u8> {
    let template = include_str!("../../fixtures/agents/python-flask/01-errors.json");
    let mut body: Value = serde_json::from_str(template).unwrap();
    let members = body.as_object_mut().unwrap();
    // The server sets the time of receipt, and an id that belongs to the idempotency key.
    members.remove("timestamp");
    members.remove("client_supplied_id");
    body["exception"]["type"] = json!(type_name);
    let padding = ERROR_BYTES.saturating_sub(body.to_string().len());
    body["extra"]["padding"] = json!("a word ".repeat(padding / 7));
    zlib(&body.to_string())
}

/// Returns a duration in milliseconds. Whole numbers have exact sums.
fn duration(name: usize, index: usize) -> u64 {
    ((index * 7_919 + name * 104_729) % 500 + 1) as u64
}

fn durations() -> Vec<u8> {
    let transaction = |name: usize| {
        let durations: Vec<u64> = (0..DURATIONS).map(|index| duration(name, index)).collect();
        json!({"transaction": format!("work {name}"), "result": 200, "kind": "web", "durations": durations})
    };
    let transactions: Vec<Value> = (0..NAMES).map(transaction).collect();
    zlib(&json!({"transactions": transactions, "traces": {"groups": [], "raw": []}}).to_string())
}

/// Returns traces of a request with queries.
fn spans(run: u64, number: u64, first: usize) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let spans = (0..TRACES).flat_map(|trace| {
        let key = number * TRACES as u64 + trace as u64 + 1;
        let name = (first + trace) % NAMES;
        (0..SPANS as u64).map(move |span| one_span(run, key, name, span, now - 100_000_000))
    });
    let scope_spans = vec![ScopeSpans { spans: spans.collect(), ..ScopeSpans::default() }];
    let resource = Resource { attributes: vec![attribute("service.name", "shop")], ..Resource::default() };
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

fn one_span(run: u64, key: u64, name: usize, span: u64, start: u64) -> Span {
    let id = |span: u64| (key * SPANS as u64 + span).to_be_bytes().to_vec();
    let common = Span {
        trace_id: (u128::from(run) << 64 | u128::from(key)).to_be_bytes().to_vec(),
        span_id: id(span),
        start_time_unix_nano: start + span * 1_000_000,
        ..Span::default()
    };
    if span == 0 {
        let route = format!("/orders/{name}");
        return Span {
            name: format!("GET {route}"),
            kind: SpanKind::Server as i32,
            end_time_unix_nano: start + ROOT_MS * 1_000_000,
            attributes: vec![attribute("http.request.method", "GET"), attribute("http.route", &route)],
            ..common
        };
    }
    let query = format!("SELECT * FROM table_{span} WHERE id = $1");
    Span {
        parent_span_id: id(0),
        name: format!("SELECT table_{span}"),
        kind: SpanKind::Client as i32,
        end_time_unix_nano: start + span * 1_000_000 + 800_000,
        attributes: vec![attribute("db.system", "postgresql"), attribute("db.query.text", &query)],
        ..common
    }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

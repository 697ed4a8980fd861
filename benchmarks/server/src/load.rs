//! The bodies that are posted.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::ZlibEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, span::SpanKind};
use prost::Message;
use serde_json::{Value, json};

/// The number of traces in a body of OTLP, and of spans in a trace: 500 spans, about as many as an exporter's batch has.
const TRACES: usize = 50;
const SPANS: usize = 10;

/// The number of durations in a body of transactions.
const DURATIONS: usize = 20_000;

/// The number of names of transactions.
const NAMES: usize = 20;

/// The data that is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An error of 10 KB in each body, in 100 groups.
    Errors,
    /// Spans of OpenTelemetry, 500 in each body.
    Spans,
    /// Durations of transactions, 20,000 in each body.
    Durations,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Errors, Self::Spans, Self::Durations];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Errors => "errors",
            Self::Spans => "spans",
            Self::Durations => "durations",
        }
    }

    /// Returns the number of events in a body.
    pub(crate) const fn events(self) -> usize {
        match self {
            Self::Errors => 1,
            Self::Spans => TRACES * SPANS,
            Self::Durations => DURATIONS,
        }
    }

    /// Returns the path below that of the app, or the whole path.
    pub(crate) fn path(self, app: &str) -> String {
        match self {
            Self::Errors => format!("{app}errors/"),
            Self::Durations => format!("{app}transactions/"),
            Self::Spans => "/v1/traces".to_owned(),
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Errors | Self::Durations => "application/octet-stream",
            Self::Spans => "application/x-protobuf",
        }
    }

    /// Returns whether each body must be new: a repeated span counts once.
    pub(crate) const fn is_unique(self) -> bool {
        matches!(self, Self::Spans)
    }

    /// Makes the body with a number.
    pub(crate) fn body(self, template: &Value, number: usize, groups: usize) -> Vec<u8> {
        match self {
            Self::Errors => error(template, number % groups),
            Self::Spans => spans(number as u64),
            Self::Durations => durations(),
        }
    }
}

/// Returns an error of about 10 KB, compressed. Errors with the same number are in one group.
fn error(template: &Value, number: usize) -> Vec<u8> {
    let mut body = template.clone();
    body["exception"]["type"] = json!(format!("Error{number}"));
    let length = body.to_string().len();
    body["extra"]["padding"] = json!("a word ".repeat(10_000_usize.saturating_sub(length) / 7));
    deflate(&body)
}

fn durations() -> Vec<u8> {
    let each = DURATIONS / NAMES;
    let transaction = |name: usize| {
        let durations: Vec<f64> =
            (0..each).map(|index| ((index * 7_919 + name * 104_729) % 50_000) as f64 / 100.0).collect();
        json!({"transaction": format!("GET /shop/{name}"), "result": 200, "kind": "web", "timestamp": timestamp(),
               "durations": durations})
    };
    let transactions: Vec<Value> = (0..NAMES).map(transaction).collect();
    deflate(&json!({"transactions": transactions, "traces": {"groups": [], "raw": []}}))
}

pub(crate) fn timestamp() -> String {
    let now = jiff::Timestamp::now();
    now.strftime("%Y-%m-%dT%H:%M:00.000Z").to_string()
}

pub(crate) fn deflate(body: &Value) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body.to_string().as_bytes()).expect("a vector takes all bytes");
    encoder.finish().expect("a vector takes all bytes")
}

fn text(value: impl Into<String>) -> Option<AnyValue> {
    Some(AnyValue { value: Some(any_value::Value::StringValue(value.into())) })
}

fn attribute(key: &str, value: impl Into<String>) -> KeyValue {
    KeyValue { key: key.to_owned(), value: text(value), ..KeyValue::default() }
}

/// Returns traces of one transaction with queries and calls.
fn spans(number: u64) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos() as u64);
    let mut spans = Vec::with_capacity(TRACES * SPANS);
    for trace in 0..TRACES as u64 {
        let key = number * TRACES as u64 + trace + 1;
        let trace_id = (u128::from(now) << 64 | u128::from(key)).to_be_bytes().to_vec();
        let id = |span: u64| (key * 100 + span + 1).to_be_bytes().to_vec();
        let start = now - 100_000_000 - trace * 1_000_000;
        let name = format!("GET /shop/{}", key % NAMES as u64);
        for span in 0..SPANS as u64 {
            let is_root = span == 0;
            let attributes = if is_root {
                vec![
                    attribute("http.request.method", "GET"),
                    attribute("http.route", name.trim_start_matches("GET ")),
                    attribute("url.path", format!("/shop/{key}")),
                ]
            } else {
                vec![
                    attribute("db.system", "postgresql"),
                    attribute("db.query.text", format!("SELECT * FROM table_{span} WHERE id = $1")),
                ]
            };
            spans.push(Span {
                trace_id: trace_id.clone(),
                span_id: id(span),
                parent_span_id: if is_root { Vec::new() } else { id(0) },
                name: if is_root { name.clone() } else { format!("SELECT table_{span}") },
                kind: if is_root { SpanKind::Server } else { SpanKind::Client } as i32,
                start_time_unix_nano: start + span * 1_000_000,
                end_time_unix_nano: start + if is_root { 20_000_000 } else { span * 1_000_000 + 800_000 },
                attributes,
                ..Span::default()
            });
        }
    }
    let resource = Resource { attributes: vec![attribute("service.name", "shop")], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }];
    ExportTraceServiceRequest { resource_spans }.encode_to_vec()
}

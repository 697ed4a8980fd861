//! Spans.

use serde::Serialize;

use super::json;
use super::values::{KeyValue, Resource, Scope};

/// A request with spans.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ExportTraces {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) resource_spans: Vec<ResourceSpans>,
}

/// The spans of a resource.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ResourceSpans {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) scope_spans: Vec<ScopeSpans>,
    /// The version of the semantic conventions.
    #[prost(string, tag = "3")]
    pub(in crate::export::otlp) schema_url: String,
}

/// The spans of a library.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct ScopeSpans {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) spans: Vec<Span>,
}

/// A span.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    #[serde(serialize_with = "json::hex")]
    pub(in crate::export::otlp) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    #[serde(serialize_with = "json::hex")]
    pub(in crate::export::otlp) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    #[serde(serialize_with = "json::hex", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::export::otlp) parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub(in crate::export::otlp) name: String,
    #[prost(enumeration = "SpanKind", tag = "6")]
    pub(in crate::export::otlp) kind: i32,
    #[prost(fixed64, tag = "7")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) start_time_unix_nano: u64,
    #[prost(fixed64, tag = "8")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) end_time_unix_nano: u64,
    #[prost(message, repeated, tag = "9")]
    pub(in crate::export::otlp) attributes: Vec<KeyValue>,
    #[prost(message, repeated, tag = "11")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(in crate::export::otlp) events: Vec<Event>,
    #[prost(message, optional, tag = "15")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::export::otlp) status: Option<Status>,
    #[prost(fixed32, tag = "16")]
    #[serde(skip_serializing_if = "json::is_zero")]
    pub(in crate::export::otlp) flags: u32,
}

/// The role of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(in crate::export::otlp) enum SpanKind {
    Unspecified = 0,
    Internal = 1,
    Server = 2,
    Client = 3,
    Producer = 4,
    Consumer = 5,
}

/// An event of a span.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct Event {
    #[prost(fixed64, tag = "1")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) time_unix_nano: u64,
    #[prost(string, tag = "2")]
    pub(in crate::export::otlp) name: String,
    #[prost(message, repeated, tag = "3")]
    pub(in crate::export::otlp) attributes: Vec<KeyValue>,
}

/// The status of a span.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::export::otlp) struct Status {
    #[prost(string, tag = "2")]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(in crate::export::otlp) message: String,
    #[prost(enumeration = "StatusCode", tag = "3")]
    pub(in crate::export::otlp) code: i32,
}

/// The code of a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(in crate::export::otlp) enum StatusCode {
    Unset = 0,
    Ok = 1,
    Error = 2,
}

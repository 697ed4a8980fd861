//! Log records.

use serde::Serialize;

use super::json;
use super::values::{KeyValue, Resource, Scope, Value};

/// A request with log records.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ExportLogs {
    #[prost(message, repeated, tag = "1")]
    pub(in crate::export::otlp) resource_logs: Vec<ResourceLogs>,
}

/// The log records of a resource.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ResourceLogs {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) resource: Option<Resource>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) scope_logs: Vec<ScopeLogs>,
    /// The version of the semantic conventions.
    #[prost(string, tag = "3")]
    pub(in crate::export::otlp) schema_url: String,
}

/// The log records of a library.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct ScopeLogs {
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) scope: Option<Scope>,
    #[prost(message, repeated, tag = "2")]
    pub(in crate::export::otlp) log_records: Vec<LogRecord>,
}

/// A log record.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::export::otlp) struct LogRecord {
    #[prost(fixed64, tag = "1")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) time_unix_nano: u64,
    #[prost(fixed64, tag = "11")]
    #[serde(serialize_with = "json::text")]
    pub(in crate::export::otlp) observed_time_unix_nano: u64,
    #[prost(int32, tag = "2")]
    pub(in crate::export::otlp) severity_number: i32,
    #[prost(string, tag = "3")]
    pub(in crate::export::otlp) severity_text: String,
    #[prost(message, optional, tag = "5")]
    pub(in crate::export::otlp) body: Option<Value>,
    #[prost(message, repeated, tag = "6")]
    pub(in crate::export::otlp) attributes: Vec<KeyValue>,
    #[prost(bytes = "vec", tag = "9")]
    #[serde(serialize_with = "json::hex", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::export::otlp) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "10")]
    #[serde(serialize_with = "json::hex", skip_serializing_if = "Vec::is_empty")]
    pub(in crate::export::otlp) span_id: Vec<u8>,
}

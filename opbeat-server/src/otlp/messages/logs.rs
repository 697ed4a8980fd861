//! Log records.

use serde::Deserialize;

use super::json;
use super::values::{KeyValue, Resource, Scope, Value};

/// The request of `/v1/logs`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ExportLogs {
    /// The records by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) resource_logs: Vec<ResourceLogs>,
}

/// The records of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ResourceLogs {
    /// The resource.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) resource: Option<Resource>,
    /// The records by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) scope_logs: Vec<ScopeLogs>,
}

/// The records of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ScopeLogs {
    /// The logger.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) scope: Option<Scope>,
    /// The records.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) log_records: Vec<LogRecord>,
}

/// A log record.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct LogRecord {
    /// The time, in nanoseconds since 1970, or 0.
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) time_unix_nano: u64,
    /// The time when the record was collected, in nanoseconds since 1970.
    #[prost(fixed64, tag = "11")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) observed_time_unix_nano: u64,
    /// The severity: 17 to 20 are errors, 21 to 24 are fatal.
    #[prost(int32, tag = "2")]
    #[serde(deserialize_with = "json::severity")]
    pub(in crate::otlp) severity_number: i32,
    /// The severity as the logger names it.
    #[prost(string, tag = "3")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) severity_text: String,
    /// The message.
    #[prost(message, optional, tag = "5")]
    pub(in crate::otlp) body: Option<Value>,
    /// The attributes.
    #[prost(message, repeated, tag = "6")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) attributes: Vec<KeyValue>,
    /// The trace's id, or no bytes.
    #[prost(bytes = "vec", tag = "9")]
    #[serde(deserialize_with = "json::id")]
    pub(in crate::otlp) trace_id: Vec<u8>,
    /// The span's id, or no bytes.
    #[prost(bytes = "vec", tag = "10")]
    #[serde(deserialize_with = "json::id")]
    pub(in crate::otlp) span_id: Vec<u8>,
}

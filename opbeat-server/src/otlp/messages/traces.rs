//! Traces.

use serde::Deserialize;

use super::json;
use super::values::{KeyValue, Resource, Scope};

/// The request of `/v1/traces`.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ExportTraces {
    /// The spans by resource.
    #[prost(message, repeated, tag = "1")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) resource_spans: Vec<ResourceSpans>,
}

/// The spans of a resource.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct ResourceSpans {
    /// The resource.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) resource: Option<Resource>,
    /// The spans by scope.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) scope_spans: Vec<ScopeSpans>,
}

/// The spans of a scope.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct ScopeSpans {
    /// The instrumentation library.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) scope: Option<Scope>,
    /// The spans.
    #[prost(message, repeated, tag = "2")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) spans: Vec<Span>,
}

/// A span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct Span {
    /// The trace's id: 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    #[serde(deserialize_with = "json::id")]
    pub(in crate::otlp) trace_id: Vec<u8>,
    /// The id: 8 bytes.
    #[prost(bytes = "vec", tag = "2")]
    #[serde(deserialize_with = "json::id")]
    pub(in crate::otlp) span_id: Vec<u8>,
    /// The parent's id, or no bytes.
    #[prost(bytes = "vec", tag = "4")]
    #[serde(deserialize_with = "json::id")]
    pub(in crate::otlp) parent_span_id: Vec<u8>,
    /// Flags. Bits 8 and 9 say whether the parent is known to be in another process.
    #[prost(fixed32, tag = "16")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) flags: u32,
    /// The name.
    #[prost(string, tag = "5")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) name: String,
    /// The kind: a number of [`SpanKind`].
    #[prost(int32, tag = "6")]
    #[serde(deserialize_with = "json::span_kind")]
    pub(in crate::otlp) kind: i32,
    /// The start, in nanoseconds since 1970.
    #[prost(fixed64, tag = "7")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) start_time_unix_nano: u64,
    /// The end, in nanoseconds since 1970.
    #[prost(fixed64, tag = "8")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) end_time_unix_nano: u64,
    /// The attributes.
    #[prost(message, repeated, tag = "9")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) attributes: Vec<KeyValue>,
    /// The events, such as recorded exceptions.
    #[prost(message, repeated, tag = "11")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) events: Vec<SpanEvent>,
    /// The status.
    #[prost(message, optional, tag = "15")]
    pub(in crate::otlp) status: Option<SpanStatus>,
}

/// An event of a span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::otlp) struct SpanEvent {
    /// The time, in nanoseconds since 1970.
    #[prost(fixed64, tag = "1")]
    #[serde(deserialize_with = "json::number")]
    pub(in crate::otlp) time_unix_nano: u64,
    /// The name: `exception` for recorded exceptions.
    #[prost(string, tag = "2")]
    #[serde(deserialize_with = "json::or_default")]
    pub(in crate::otlp) name: String,
    /// The attributes.
    #[prost(message, repeated, tag = "3")]
    #[serde(deserialize_with = "json::list")]
    pub(in crate::otlp) attributes: Vec<KeyValue>,
}

/// The status of a span.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::otlp) struct SpanStatus {
    /// The code: 1 is ok, 2 is an error.
    #[prost(int32, tag = "3")]
    #[serde(deserialize_with = "json::status_code")]
    pub(in crate::otlp) code: i32,
}

/// The role of a span in its trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::otlp) enum SpanKind {
    /// Work inside an application, or an unknown kind.
    Internal,
    /// The work for a request that another process sent.
    Server,
    /// A request to another process.
    Client,
    /// A message that is sent.
    Producer,
    /// The work for a message that is received.
    Consumer,
}

impl Span {
    /// Returns the role of the span.
    pub(in crate::otlp) fn role(&self) -> SpanKind {
        match self.kind {
            2 => SpanKind::Server,
            3 => SpanKind::Client,
            4 => SpanKind::Producer,
            5 => SpanKind::Consumer,
            _ => SpanKind::Internal,
        }
    }

    /// Returns whether the status is an error.
    pub(in crate::otlp) fn is_error(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.code == 2)
    }

    /// Returns whether the span is the first one of its trace in its process, as far as the span itself says.
    pub(in crate::otlp) fn is_entry(&self) -> bool {
        const HAS_IS_REMOTE: u32 = 0x100;
        const IS_REMOTE: u32 = 0x200;
        let has_parent = self.parent_span_id.iter().any(|byte| *byte != 0);
        !has_parent || self.flags & (HAS_IS_REMOTE | IS_REMOTE) == HAS_IS_REMOTE | IS_REMOTE
    }
}

//! The messages of OTLP, as far as they are sent: in protobuf, and in the JSON that OTLP derives from it.

mod answers;
mod json;
mod logs;
mod metrics;
mod traces;
mod values;

pub(super) use answers::{ExportAnswer, Status as RpcStatus};
pub(super) use logs::{ExportLogs, LogRecord, ResourceLogs, ScopeLogs};
pub(super) use metrics::{
    ExportMetrics, Histogram, HistogramPoint, Metric, ResourceMetrics, ScopeMetrics, Temporality,
};
pub(super) use traces::{Event, ExportTraces, ResourceSpans, ScopeSpans, Span, SpanKind, Status, StatusCode};
pub(super) use values::{KeyValue, Kind, Resource, Scope, Value, ValueList};

//! The messages of OTLP: the fields that the server reads. Other fields are skipped.
//!
//! The same structs read both encodings: protobuf, and JSON by the rules of OTLP (lower camel case, ids in hexadecimal,
//! numbers of 64 bits as text or as numbers, enumerations as numbers, unknown keys ignored).

mod answers;
mod encoding;
mod json;
mod json_value;
mod logs;
mod metrics;
mod signal;
mod traces;
mod values;
mod weight;

pub(super) use answers::{ExportAnswer, PartialSuccess, RetryInfo, Status};
pub(super) use encoding::{Encoding, Export, decode};
pub(super) use logs::{ExportLogs, LogRecord, ResourceLogs};
pub(super) use metrics::ExportMetrics;
pub(super) use signal::Signal;
pub(super) use traces::{ExportTraces, ResourceSpans, Span, SpanEvent, SpanKind};
pub(super) use values::{KeyValue, Resource, Value, any_value};

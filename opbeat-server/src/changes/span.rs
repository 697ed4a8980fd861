//! Spans that arrive one by one, and are joined to transactions in the store.

use serde::{Deserialize, Serialize};

use super::NewSample;

/// The id of a trace.
pub(crate) type TraceId = [u8; 16];

/// The id of a span in its trace. Zeros stand for no span.
pub(crate) type SpanId = [u8; 8];

/// A span that arrived by itself. Its parent and its transaction can arrive earlier or later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewSpan {
    /// The app's id.
    pub(crate) app_id: String,
    /// The trace.
    pub(crate) trace_id: TraceId,
    /// The span.
    pub(crate) span_id: SpanId,
    /// Its parent, which can be in another process.
    pub(crate) parent_id: SpanId,
    /// When it was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// When it began by the clock of its sender, in microseconds since 1970.
    pub(crate) started_at: i64,
    /// Its duration, in milliseconds.
    pub(crate) duration_ms: f64,
    /// Its short name.
    pub(crate) signature: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Extra values such as `sql` and `url`: an object as JSON.
    #[serde(with = "serde_bytes")]
    pub(crate) extra: Vec<u8>,
    /// The transaction that the span stands for: a sample whose document has no spans.
    pub(crate) transaction: Option<Box<NewSample>>,
}

/// The span that an error was recorded in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ErrorSpan {
    /// The trace.
    pub(crate) trace_id: TraceId,
    /// The span.
    pub(crate) span_id: SpanId,
    /// When the error was received, in microseconds since 1970.
    pub(crate) received_at: i64,
    /// A hash of the exception's type and message, if there is one. Equal exceptions of nested spans are one failure.
    pub(crate) exception: Option<[u8; 8]>,
    /// Whether a log record reported the error, and not an event of the span.
    pub(crate) is_log: bool,
}

/// Returns an id as text, in hexadecimal.
pub(crate) fn id_text(id: &[u8]) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}

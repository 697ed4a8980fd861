//! The answers of receivers. They differ between the signals in the name of one key in JSON only.

use serde::Deserialize;
use serde_json::Value as Json;

/// The answer to an export.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::export::otlp) struct ExportAnswer {
    /// The rejected items, if there are any.
    #[prost(message, optional, tag = "1")]
    pub(in crate::export::otlp) partial_success: Option<PartialSuccess>,
}

/// The rejected items of an export. Without a rejected item, the message is a warning.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::export::otlp) struct PartialSuccess {
    /// Their number.
    #[prost(int64, tag = "1")]
    pub(in crate::export::otlp) rejected: i64,
    /// The reason, and what to do.
    #[prost(string, tag = "2")]
    pub(in crate::export::otlp) error_message: String,
}

impl ExportAnswer {
    /// Reads an answer in JSON. An answer that cannot be read has no rejected items.
    pub(in crate::export::otlp) fn from_json(body: &[u8]) -> Self {
        let json: Json = serde_json::from_slice(body).unwrap_or_default();
        let partial_success = json.get("partialSuccess").and_then(Json::as_object).map(|partial| {
            let rejected = ["rejectedSpans", "rejectedLogRecords", "rejectedDataPoints"];
            let number = |value: &Json| value.as_i64().or_else(|| value.as_str()?.parse().ok());
            PartialSuccess {
                rejected: rejected.iter().find_map(|key| number(partial.get(*key)?)).unwrap_or(0),
                error_message: partial.get("errorMessage").and_then(Json::as_str).unwrap_or_default().to_owned(),
            }
        });
        Self { partial_success }
    }
}

/// `google.rpc.Status`, the body of responses with an error.
#[derive(Clone, PartialEq, prost::Message, Deserialize)]
#[serde(default)]
pub(in crate::export::otlp) struct Status {
    /// The reason.
    #[prost(string, tag = "2")]
    pub(in crate::export::otlp) message: String,
}

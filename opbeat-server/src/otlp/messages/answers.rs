//! The answers to exports, and `google.rpc.Status`, the body of rejections.

use serde::Serialize;

/// The answer to an export. The three signals differ in the name of one key in JSON only.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct ExportAnswer {
    /// The rejected items, if there are any.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) partial_success: Option<PartialSuccess>,
}

/// The rejected items of an export.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct PartialSuccess {
    /// Their number.
    #[prost(int64, tag = "1")]
    pub(in crate::otlp) rejected: i64,
    /// The reason, and what to do.
    #[prost(string, tag = "2")]
    pub(in crate::otlp) error_message: String,
}

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(in crate::otlp) struct Status {
    /// The code, as gRPC defines it.
    #[prost(int32, tag = "1")]
    pub(in crate::otlp) code: i32,
    /// The reason, and what to do.
    #[prost(string, tag = "2")]
    pub(in crate::otlp) message: String,
    /// Further messages.
    #[prost(message, repeated, tag = "3")]
    #[serde(skip)]
    pub(in crate::otlp) details: Vec<TypedDetail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct TypedDetail {
    /// The URL of the type.
    #[prost(string, tag = "1")]
    pub(in crate::otlp) type_url: String,
    /// The encoded message.
    #[prost(bytes = "vec", tag = "2")]
    pub(in crate::otlp) value: Vec<u8>,
}

/// `google.rpc.RetryInfo`: when to send again.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct RetryInfo {
    /// The delay.
    #[prost(message, optional, tag = "1")]
    pub(in crate::otlp) retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, prost::Message)]
pub(in crate::otlp) struct Delay {
    /// The seconds.
    #[prost(int64, tag = "1")]
    pub(in crate::otlp) seconds: i64,
}

impl RetryInfo {
    /// Returns the detail of a status that asks for another attempt after a number of seconds.
    pub(in crate::otlp) fn detail(seconds: i64) -> TypedDetail {
        let info = Self { retry_delay: Some(Delay { seconds }) };
        let type_url = "type.googleapis.com/google.rpc.RetryInfo".to_owned();
        TypedDetail { type_url, value: prost::Message::encode_to_vec(&info) }
    }
}

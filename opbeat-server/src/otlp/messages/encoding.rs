//! The two encodings of OTLP.

use prost::Message;
use serde::de::DeserializeOwned;

use super::logs::ExportLogs;
use super::metrics::ExportMetrics;
use super::signal::Signal;
use super::traces::ExportTraces;
use super::weight::{Refusal, is_json_too_heavy, weigh_protobuf};
use crate::decode::Undecodable;

/// The encoding of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::otlp) enum Encoding {
    /// `application/x-protobuf`, and the messages of gRPC.
    Protobuf,
    /// `application/json`
    Json,
}

/// A request that can be decoded.
pub(in crate::otlp) trait Export: Message + Default + DeserializeOwned {
    /// The kind of telemetry in it.
    const SIGNAL: Signal;
}

impl Export for ExportTraces {
    const SIGNAL: Signal = Signal::Traces;
}

impl Export for ExportLogs {
    const SIGNAL: Signal = Signal::Logs;
}

impl Export for ExportMetrics {
    const SIGNAL: Signal = Signal::Metrics;
}

/// Decodes a request.
///
/// # Errors
///
/// Returns an error if the request is invalid, or would take too much memory.
pub(in crate::otlp) fn decode<T: Export>(body: &[u8], encoding: Encoding) -> Result<T, Undecodable> {
    let weighed = match encoding {
        Encoding::Protobuf => weigh_protobuf(body, T::SIGNAL),
        Encoding::Json if is_json_too_heavy(body) => Err(Refusal::TooHeavy),
        Encoding::Json => Ok(()),
    };
    weighed.map_err(|refusal| match refusal {
        Refusal::TooHeavy => invalid("the request has too many empty or small messages; send smaller batches"),
        Refusal::Group => invalid("the request is not protobuf of OTLP: it has a group"),
    })?;
    match encoding {
        Encoding::Protobuf => {
            T::decode(body).map_err(|error| invalid(&format!("the request is not protobuf of OTLP: {error}")))
        }
        Encoding::Json => serde_json::from_slice(without_mark(body))
            .map_err(|error| invalid(&format!("the request is not JSON of OTLP: {error}"))),
    }
}

/// Removes a byte order mark, which some writers of JSON add.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn invalid(reason: &str) -> Undecodable {
    Undecodable::Invalid { field: "body", reason: reason.to_owned() }
}

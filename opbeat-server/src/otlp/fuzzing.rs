//! The decoders of requests, for the fuzz targets.

use opbeat_protocol::Timestamp;

use super::messages::{Encoding, ExportLogs, ExportMetrics, ExportTraces, decode};
use super::services::{Coding, unframed};
use super::sql;
use super::stacks::{Language, parse};
use super::telemetry::{Request, Telemetry};
use crate::changes::BodyChanges;

/// The largest inflated message, in bytes.
const MAX_INFLATED: usize = 1 << 20;

/// Returns the changes of a request of `/v1/traces`, or none if it is refused.
pub(crate) fn traces(body: &[u8], is_json: bool) -> Vec<BodyChanges> {
    export::<ExportTraces>(body, is_json)
}

/// Returns the changes of a request of `/v1/logs`, or none if it is refused.
pub(crate) fn logs(body: &[u8], is_json: bool) -> Vec<BodyChanges> {
    export::<ExportLogs>(body, is_json)
}

/// Returns the changes of a request of `/v1/metrics`, or none if it is refused.
pub(crate) fn metrics(body: &[u8], is_json: bool) -> Vec<BodyChanges> {
    export::<ExportMetrics>(body, is_json)
}

fn export<T: Telemetry>(body: &[u8], is_json: bool) -> Vec<BodyChanges> {
    let encoding = if is_json { Encoding::Json } else { Encoding::Protobuf };
    let Ok(export) = decode::<T>(body, encoding) else { return Vec::new() };
    let encoded = export.encode_to_vec();
    let again = T::decode(encoded.as_slice()).expect("an encoded request is decoded");
    assert!(again.encode_to_vec() == encoded, "a request is decoded as it was encoded");
    // Some services have an app, and some do not.
    let destinations = export.sources().into_iter().map(|source| {
        let is_known = !source.service.starts_with('x');
        (source, if is_known { Ok("shop".to_owned()) } else { Err("the service is unknown".to_owned()) })
    });
    let request = Request {
        app_id: "shop".to_owned(),
        size: body.len(),
        received: Timestamp::from_seconds(1_780_000_000),
        destinations: destinations.collect(),
    };
    let outcome = export.outcome(&request);
    assert!(outcome.rejected >= 0, "a number of items is not negative");
    assert!(outcome.rejected == 0 || !outcome.reasons.is_empty(), "a rejection has a reason");
    outcome.bodies
}

/// Reads the frame of a call of gRPC with each coding, and inflates the message in it.
pub(crate) fn frame(body: &[u8]) {
    for coding in [Coding::Identity, Coding::Gzip, Coding::Deflate] {
        let Ok((coding, message)) = unframed(body, coding) else { continue };
        if let Ok(inflated) = coding.inflate(message, MAX_INFLATED) {
            assert!(inflated.len() <= MAX_INFLATED, "no message is inflated beyond its limit");
        }
    }
}

/// Parses a stack trace in each language. Returns the number of bytes in the frames and the causes.
pub(crate) fn stack(text: &str) -> usize {
    let languages = [Language::Python, Language::Node, Language::Java, Language::Go, Language::Rust];
    let stacks = languages.into_iter().map(Some).chain([None]).map(|language| {
        let stack = parse(text, language);
        // Texts of parts are shorter than their struct, or contained in the stack trace.
        serde_json::to_vec(&stack.frames).map_or(0, |frames| frames.len())
            + serde_json::to_vec(&stack.causes).map_or(0, |causes| causes.len())
    });
    stacks.max().unwrap_or(0)
}

/// Returns the summary of a query.
pub(crate) fn summary(query: &str) -> Option<String> {
    sql::summary(query)
}

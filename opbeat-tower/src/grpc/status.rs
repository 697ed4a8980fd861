//! How calls ended.
//!
//! The status of a call is in the trailers, or in the head if there is no message: see
//! [gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).

use std::fmt;

use http::HeaderMap;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;

use super::Call;

/// The codes' names, in the order of their numbers.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Codes of calls that may have reached no method: what is not there, and what is refused before.
const UNPROVEN: [&str; 4] = ["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "UNAUTHENTICATED"];

/// Notes what a head or trailers say of a call. Returns whether there was one.
pub(crate) fn note_status(headers: &HeaderMap, transaction: &mut HttpTransaction, call: &mut Call) -> bool {
    let status = headers.get("grpc-status").and_then(|status| status.to_str().ok()?.parse::<usize>().ok());
    let Some(status) = status else { return false };
    let code = CODES.get(status).copied().unwrap_or("UNKNOWN");
    if shows_method(code, headers) {
        call.prove(transaction);
    }
    transaction.current().set_result(code);
    let outcome = outcome(code);
    transaction.set_outcome(outcome);
    if outcome == Outcome::ServerError && transaction.error_id().is_none() {
        transaction.capture_failure(&GrpcStatus::new(code, headers));
    }
    true
}

/// Returns whether a status shows that the method is there. A method that is not written yet most often says so; servers
/// have no words for one that they don't know.
fn shows_method(code: &str, headers: &HeaderMap) -> bool {
    let has_message = || headers.get("grpc-message").is_some_and(|message| !message.is_empty());
    !UNPROVEN.contains(&code) || (code == "UNIMPLEMENTED" && has_message())
}

/// A status that tells of a fault of the application.
struct GrpcStatus {
    code: &'static str,
    message: String,
}

impl GrpcStatus {
    fn new(code: &'static str, headers: &HeaderMap) -> Self {
        let message = headers.get("grpc-message").and_then(|message| message.to_str().ok()).unwrap_or_default();
        let message = percent_encoding::percent_decode_str(message).decode_utf8_lossy().into_owned();
        Self { code, message }
    }
}

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Tells whose fault a code is.
fn outcome(code: &str) -> Outcome {
    match code {
        "OK" => Outcome::Ok,
        "CANCELLED" => Outcome::ClientGone,
        "DEADLINE_EXCEEDED" => Outcome::TimedOut,
        "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" => Outcome::ServerError,
        _ => Outcome::ClientError,
    }
}

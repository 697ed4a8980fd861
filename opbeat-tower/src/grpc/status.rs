//! The statuses of calls.
//!
//! The status is in the trailers, or in the response head if there is no message: see
//! [gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).

use std::fmt;

use http::HeaderMap;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;

use super::GrpcCall;

/// The names of the codes, in the order of their numbers.
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

/// Codes of calls that may have reached no method: it does not exist, or the call was rejected before.
const INCONCLUSIVE: [&str; 4] = ["PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED", "UNAUTHENTICATED"];

/// Records the status in a response head or in trailers. Returns whether they contain one.
pub(crate) fn record_status(headers: &HeaderMap, transaction: &mut HttpTransaction, call: &mut GrpcCall) -> bool {
    let status = headers.get("grpc-status").and_then(|status| status.to_str().ok()?.parse::<usize>().ok());
    let Some(status) = status else { return false };
    let code = CODES.get(status).copied().unwrap_or("UNKNOWN");
    if confirms_method(code, headers) {
        call.confirm_method(transaction);
    }
    transaction.current().set_result(code);
    let outcome = outcome(code);
    transaction.set_outcome(outcome);
    if outcome == Outcome::ServerError && transaction.error_id().is_none() {
        transaction.capture_display(&GrpcStatus::new(code, headers));
    }
    true
}

/// Returns whether a status shows that the method exists.
///
/// `UNIMPLEMENTED` does so if it has a message: a method that is not implemented yet usually sends one, while servers
/// send none for an unknown method.
fn confirms_method(code: &str, headers: &HeaderMap) -> bool {
    let has_message = || headers.get("grpc-message").is_some_and(|message| !message.is_empty());
    !INCONCLUSIVE.contains(&code) || (code == "UNIMPLEMENTED" && has_message())
}

/// A status that reports a failure of the application.
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

/// Returns the outcome of a call with a code.
fn outcome(code: &str) -> Outcome {
    match code {
        "OK" => Outcome::Ok,
        "CANCELLED" => Outcome::ClientGone,
        "DEADLINE_EXCEEDED" => Outcome::TimedOut,
        "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" => Outcome::ServerError,
        _ => Outcome::ClientError,
    }
}

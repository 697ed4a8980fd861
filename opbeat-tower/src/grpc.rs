//! What gRPC calls are named after, and how they ended.
//!
//! The status of a call is in the trailers, or in the head if there is no message: see
//! [gRPC over HTTP/2](https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md).

use std::fmt;

use http::HeaderMap;
use opbeat_core::http::HttpTransaction;
use opbeat_core::{Outcome, TransactionName};

use crate::route_name::{RequestHead, RouteName};

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

/// The code of calls to methods that nobody has.
const UNIMPLEMENTED: usize = 12;

/// The name of calls to methods that nobody has: clients choose the path.
const UNKNOWN_METHOD: &str = "unknown method";

/// Names calls after their service and method: `shop.Catalogue/Find`.
///
/// Calls that are answered with `UNIMPLEMENTED`, as all unknown ones are, are counted together.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrpcMethodName;

impl RouteName for GrpcMethodName {
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        let path = head.uri.path().strip_prefix('/')?;
        let is_call = path.split('/').count() == 2 && path.split('/').all(|part| !part.is_empty());
        is_call.then(|| path.to_owned().into())
    }
}

/// Notes what a head or trailers say of a call. Returns whether there was one.
pub(crate) fn note_status(headers: &HeaderMap, transaction: &mut HttpTransaction) -> bool {
    let status = headers.get("grpc-status").and_then(|status| status.to_str().ok()?.parse::<usize>().ok());
    let Some(status) = status else { return false };
    let current = transaction.current();
    if status == UNIMPLEMENTED {
        current.set_name(UNKNOWN_METHOD);
    }
    current.set_result(CODES.get(status).copied().unwrap_or("UNKNOWN"));
    let outcome = outcome(status);
    transaction.set_outcome(outcome);
    if outcome == Outcome::ServerError && transaction.error_id().is_none() {
        transaction.capture_failure(&GrpcStatus::new(status, headers));
    }
    true
}

/// A status that tells of a fault of the application.
struct GrpcStatus {
    code: &'static str,
    message: String,
}

impl GrpcStatus {
    fn new(status: usize, headers: &HeaderMap) -> Self {
        let message = headers.get("grpc-message").and_then(|message| message.to_str().ok()).unwrap_or_default();
        let message = percent_encoding::percent_decode_str(message).decode_utf8_lossy().into_owned();
        Self { code: CODES.get(status).copied().unwrap_or("UNKNOWN"), message }
    }
}

impl fmt::Display for GrpcStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Tells whose fault a code is.
fn outcome(status: usize) -> Outcome {
    match CODES.get(status).copied().unwrap_or("UNKNOWN") {
        "OK" => Outcome::Ok,
        "CANCELLED" => Outcome::ClientGone,
        "DEADLINE_EXCEEDED" => Outcome::TimedOut,
        "UNKNOWN" | "INTERNAL" | "UNAVAILABLE" | "DATA_LOSS" => Outcome::ServerError,
        _ => Outcome::ClientError,
    }
}

//! Rejections as `google.rpc.Status`.

use axum::http::StatusCode;

use crate::intake::Rejection;
use crate::otlp::messages::{RetryInfo, Status};

/// The seconds after which a request can be sent again.
pub(super) const RETRY_SECONDS: i64 = 5;

/// Codes of gRPC.
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const UNIMPLEMENTED: i32 = 12;
const UNAVAILABLE: i32 = 14;
const UNAUTHENTICATED: i32 = 16;

/// Returns the HTTP status of a rejection. Exporters send again after 429 and 503 only, so that a slow body gets 503.
pub(super) fn http_status(rejection: &Rejection) -> StatusCode {
    match rejection.status {
        StatusCode::REQUEST_TIMEOUT => StatusCode::SERVICE_UNAVAILABLE,
        status => status,
    }
}

/// Returns whether a request can be sent again after a rejection.
pub(super) fn is_retryable(rejection: &Rejection) -> bool {
    matches!(http_status(rejection), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)
}

/// Returns a rejection as a status. Exporters send again if it is `UNAVAILABLE`, or has a `RetryInfo`.
pub(super) fn status(rejection: &Rejection) -> Status {
    let code = match http_status(rejection) {
        StatusCode::UNAUTHORIZED => UNAUTHENTICATED,
        StatusCode::FORBIDDEN => PERMISSION_DENIED,
        StatusCode::PAYLOAD_TOO_LARGE | StatusCode::TOO_MANY_REQUESTS => RESOURCE_EXHAUSTED,
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => UNIMPLEMENTED,
        StatusCode::SERVICE_UNAVAILABLE => UNAVAILABLE,
        _ => INVALID_ARGUMENT,
    };
    let details = if is_retryable(rejection) { vec![RetryInfo::detail(RETRY_SECONDS)] } else { Vec::new() };
    Status { code, message: rejection.message.clone(), details }
}

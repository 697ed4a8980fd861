//! Rejections as `google.rpc.Status`.

use axum::http::StatusCode;

use crate::intake::Rejection;
use crate::otlp::messages::{RetryInfo, Status};

/// The seconds after which a request can be sent again, if the rejection states no other time.
const RETRY_SECONDS: u32 = 5;

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

/// Returns the seconds after which a request can be sent again, or `None` if that does not help.
pub(super) fn retry_seconds(rejection: &Rejection) -> Option<u32> {
    let is_retryable =
        matches!(http_status(rejection), StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    is_retryable.then(|| rejection.retry_after.unwrap_or(RETRY_SECONDS))
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
    let details = retry_seconds(rejection).map(|seconds| RetryInfo::detail(seconds.into())).into_iter().collect();
    Status { code, message: rejection.message.clone(), details }
}

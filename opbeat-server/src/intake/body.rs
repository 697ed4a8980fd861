//! Reads a request's body, up to the limits on its size and its time.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::limits::IntakeLimits;
use super::rejection::Rejection;

/// Reads a body. It is rejected without being read if its `Content-Length` is above the limit.
pub(super) async fn read(headers: &HeaderMap, body: Body, limits: &IntakeLimits) -> Result<Bytes, Rejection> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if declared.is_some_and(|length| length > limits.body as u64) {
        return Err(too_large(limits.body));
    }
    let collected = tokio::time::timeout(limits.body_timeout, Limited::new(body, limits.body).collect());
    match collected.await {
        Err(_) => Err(too_slow(limits)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits.body)),
        Ok(Err(error)) => Err(interrupted(&*error)),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// Returns the rejection of a body that is larger than a limit in bytes.
pub(super) fn too_large(limit: usize) -> Rejection {
    Rejection::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is larger than {} MiB. Send smaller bodies, more often.", limit >> 20),
    )
}

fn too_slow(limits: &IntakeLimits) -> Rejection {
    let seconds = limits.body_timeout.as_secs();
    Rejection::new(StatusCode::REQUEST_TIMEOUT, format!("The body did not arrive within {seconds} s. Send it again."))
}

fn interrupted(error: &dyn std::error::Error) -> Rejection {
    Rejection::new(StatusCode::BAD_REQUEST, format!("The body ended too early: {error}. Send it again."))
}

//! A request's body, up to the limit and no further.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{IntakeLimits, Rejection};

/// Reads a body.
pub(super) async fn read(headers: &HeaderMap, body: Body, limits: &IntakeLimits) -> Result<Bytes, Rejection> {
    let announced = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limits.body as u64) {
        return Err(too_large(limits.body));
    }
    let collected = tokio::time::timeout(limits.body_timeout, Limited::new(body, limits.body).collect());
    match collected.await {
        Err(_) => Err(too_slow(limits)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits.body)),
        Ok(Err(error)) => Err(broken(&*error)),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

pub(super) fn too_large(limit: usize) -> Rejection {
    Rejection::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("The body is larger than {} MiB. Send smaller ones, more often.", limit >> 20),
    )
}

fn too_slow(limits: &IntakeLimits) -> Rejection {
    let seconds = limits.body_timeout.as_secs();
    Rejection::new(StatusCode::REQUEST_TIMEOUT, format!("The body did not arrive within {seconds} s. Send it again."))
}

fn broken(error: &dyn std::error::Error) -> Rejection {
    Rejection::new(StatusCode::BAD_REQUEST, format!("The body broke off: {error}. Send it again."))
}

//! Reads a request's body, up to the limits on its size and its time.

use axum::body::Body;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderMap, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::limits::IntakeLimits;
use super::rejection::Rejection;
use crate::decode::Undecodable;

/// Returns the size of a body as its `Content-Length` declares it, or the limit if it declares none.
///
/// # Errors
///
/// Returns a rejection if the size is above the limit.
pub(super) fn declared_size(headers: &HeaderMap, limits: &IntakeLimits) -> Result<usize, Rejection> {
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    match declared.map_or(Ok(limits.body), usize::try_from) {
        Ok(size) if size <= limits.body => Ok(size),
        _ => Err(too_large(limits.body)),
    }
}

/// Reads a body.
pub(super) async fn read(body: Body, limits: &IntakeLimits) -> Result<Bytes, Rejection> {
    let collected = tokio::time::timeout(limits.body_timeout, Limited::new(body, limits.body).collect());
    match collected.await {
        Err(_) => Err(too_slow(limits)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large(limits.body)),
        Ok(Err(error)) => Err(interrupted(&*error)),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// Returns the rejection of a body that is larger than a limit in bytes.
fn too_large(limit: usize) -> Rejection {
    Undecodable::TooLarge(limit).into()
}

fn too_slow(limits: &IntakeLimits) -> Rejection {
    let seconds = limits.body_timeout.as_secs();
    Rejection::new(StatusCode::REQUEST_TIMEOUT, format!("The body did not arrive within {seconds} s. Send it again."))
}

fn interrupted(error: &dyn std::error::Error) -> Rejection {
    Rejection::new(StatusCode::BAD_REQUEST, format!("The body ended too early: {error}. Send it again."))
}

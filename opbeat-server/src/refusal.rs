//! What the framework refuses before a handler runs, in words only: to be put into the form that readers expect.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

/// Longer words come from no framework.
const MAX_TEXT: usize = 4 * 1024;

/// Returns the status and the words of a refusal that has no form yet; any other response as it is.
///
/// # Errors
///
/// Returns the response itself if it is no such refusal.
pub(crate) async fn formless(response: Response) -> Result<(StatusCode, String), Response> {
    let status = response.status();
    let kind = response.headers().get(CONTENT_TYPE).map(axum::http::HeaderValue::as_bytes);
    let is_formless = kind.is_none_or(|kind| kind.starts_with(b"text/plain"));
    if !status.is_client_error() || !is_formless {
        return Err(response);
    }
    let text = axum::body::to_bytes(response.into_body(), MAX_TEXT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let reason = || status.canonical_reason().unwrap_or("This is not understood").to_owned();
    Ok((status, if text.is_empty() { reason() } else { text }))
}

//! Requests that axum rejects before a handler runs, such as a path that is not UTF-8.
//!
//! axum answers them in plain text. Intake, API and pages put the text into the form that their clients expect.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;

/// The longest text that is read, in bytes. axum's own texts are far shorter; a longer text is replaced by the name of
/// the status.
const MAX_TEXT: usize = 4 * 1024;

/// Returns the status and the text of a plain-text client error, as axum sends it.
///
/// # Errors
///
/// Returns the response unchanged if it has no 4xx status, or has a content type other than `text/plain`.
pub(crate) async fn status_and_text(response: Response) -> Result<(StatusCode, String), Response> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).map(axum::http::HeaderValue::as_bytes);
    let is_plain = content_type.is_none_or(|content_type| content_type.starts_with(b"text/plain"));
    if !status.is_client_error() || !is_plain {
        return Err(response);
    }
    let text = axum::body::to_bytes(response.into_body(), MAX_TEXT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let reason = || status.canonical_reason().unwrap_or("This is not understood").to_owned();
    Ok((status, if text.is_empty() { reason() } else { text }))
}

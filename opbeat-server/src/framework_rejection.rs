//! Requests that axum rejects before a handler runs, such as a path that is not UTF-8.
//!
//! axum answers them in plain text. Intake, API and pages put the text into the form that their clients expect.

use axum::http::header::{ALLOW, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

/// The longest text that is read, in bytes. axum's own texts are far shorter; a longer text is replaced by the name of
/// the status.
const MAX_TEXT: usize = 4 * 1024;

/// The reason for which axum rejected a request.
#[derive(Debug)]
pub(crate) struct Reason {
    status: StatusCode,
    text: String,
    /// The methods that the address allows, after one that it does not allow.
    allow: Option<HeaderValue>,
}

impl Reason {
    /// Makes a response from the status and the text. It allows the same methods as axum's response.
    pub(crate) fn respond(self, form: impl FnOnce(StatusCode, String) -> Response) -> Response {
        let mut response = form(self.status, self.text);
        if let Some(allow) = self.allow {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}

/// Returns the reason in a plain-text client error, as axum sends it.
///
/// # Errors
///
/// Returns the response unchanged if it has no 4xx status, or has a content type other than `text/plain`.
pub(crate) async fn reason(response: Response) -> Result<Reason, Response> {
    let status = response.status();
    let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_plain = content_type.is_none_or(|content_type| content_type.starts_with(b"text/plain"));
    if !status.is_client_error() || !is_plain {
        return Err(response);
    }
    let allow = response.headers().get(ALLOW).cloned();
    let text = axum::body::to_bytes(response.into_body(), MAX_TEXT).await.unwrap_or_default();
    let mut text = String::from_utf8_lossy(&text).into_owned();
    if text.is_empty() {
        text = match &allow {
            Some(methods) => format!("Use {}", methods.to_str().unwrap_or_default().replace(',', " or ")),
            None => status.canonical_reason().unwrap_or("This is not understood").to_owned(),
        };
    }
    Ok(Reason { status, text, allow })
}

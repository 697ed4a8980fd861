//! Why a request was refused, in the original service's form.

use axum::Json;
use axum::http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::refusal;

/// A refused request: a status, a sentence that says what to do, and the field that is at fault.
#[derive(Clone, Debug, PartialEq)]
pub struct Rejection {
    /// The status.
    pub status: StatusCode,
    /// What is wrong and what to do.
    pub message: String,
    /// The fields that are at fault, each with the reason.
    pub fields: Map<String, Value>,
}

impl Rejection {
    /// Makes a rejection with a status and a sentence.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), fields: Map::new() }
    }

    /// Makes a rejection of a body, for the reason that a field has.
    #[must_use]
    pub fn field(field: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let message = format!("Unable to validate data: {field}: {reason}.");
        let mut rejection = Self::new(StatusCode::BAD_REQUEST, message);
        rejection.fields.insert(field.to_owned(), json!({ field: reason }));
        rejection
    }
}

/// `{"status": 400, "error_message": "…", "structured_error": {"<field>": {"<field>": "<reason>"}}}`
impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let body = json!({
            "status": self.status.as_u16(),
            "error_message": self.message,
            "structured_error": self.fields,
        });
        let mut response = (self.status, Json(body)).into_response();
        let header = match self.status {
            StatusCode::METHOD_NOT_ALLOWED => Some((ALLOW, "POST")),
            StatusCode::UNAUTHORIZED => Some((WWW_AUTHENTICATE, "Bearer")),
            StatusCode::SERVICE_UNAVAILABLE => Some((RETRY_AFTER, "5")),
            _ => None,
        };
        response.headers_mut().extend(header.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    }
}

/// Gives the framework's own refusals, such as that of a path that is no UTF-8, the form of all others.
pub(super) async fn in_form(response: Response) -> Response {
    match refusal::formless(response).await {
        Ok((status, text)) => Rejection::new(status, text).into_response(),
        Err(response) => response,
    }
}

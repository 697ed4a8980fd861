//! Rejections: the error responses of the intake, in the JSON form of the original Opbeat service.

use axum::Json;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::decode::Undecodable;
use crate::framework_rejection;

/// A rejected request: a status, a message with the reason and what to do, and the invalid fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rejection {
    /// The status.
    pub(crate) status: StatusCode,
    /// The seconds after which the request can be sent again, if that helps.
    pub(crate) retry_after: Option<u32>,
    /// The reason as one word, by which refusals are counted.
    pub(crate) reason: &'static str,
    /// The id of the app that it concerns, if the request has no valid token or one of another app; else an empty string.
    pub(crate) app_id: String,
    /// The reason, and what to do.
    pub(crate) message: String,
    /// The invalid fields, each with the reason.
    pub(crate) fields: Map<String, Value>,
}

impl Rejection {
    /// Creates a rejection with a status and a message.
    #[must_use]
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            retry_after: retry_after(status),
            reason: reason_of(status),
            app_id: String::new(),
            message: message.into(),
            fields: Map::new(),
        }
    }

    /// Creates a rejection because of an invalid field.
    #[must_use]
    pub(crate) fn field(field: &str, reason: impl Into<String>) -> Self {
        let reason = reason.into();
        let message = format!("Unable to validate data: {field}: {reason}.");
        let mut rejection = Self::new(StatusCode::BAD_REQUEST, message);
        rejection.fields.insert(field.to_owned(), json!({ field: reason }));
        rejection
    }
}

/// Returns the seconds after which a request can be sent again, for responses that know no better time.
pub(crate) fn retry_after(status: StatusCode) -> Option<u32> {
    match status {
        StatusCode::SERVICE_UNAVAILABLE => Some(5),
        StatusCode::TOO_MANY_REQUESTS => Some(1),
        _ => None,
    }
}

/// Returns the reason that a status stands for.
fn reason_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "token",
        StatusCode::FORBIDDEN => "other_app",
        StatusCode::NOT_FOUND => "path",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::REQUEST_TIMEOUT => "too_slow",
        StatusCode::PAYLOAD_TOO_LARGE => "too_large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "content_type",
        StatusCode::TOO_MANY_REQUESTS => "too_many",
        StatusCode::SERVICE_UNAVAILABLE => "unavailable",
        _ => "invalid",
    }
}

impl From<Undecodable> for Rejection {
    fn from(error: Undecodable) -> Self {
        let mut rejection = match &error {
            Undecodable::TooLarge(_) => Self::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()),
            Undecodable::Damaged(reason) => Self::field("body", reason),
            Undecodable::Invalid { field, reason } => Self::field(field, reason),
            Undecodable::Unreadable(unreadable) => Self::field("body", unreadable.to_string()),
        };
        rejection.reason = error.reason();
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
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        headers.extend(self.retry_after.map(|seconds| (RETRY_AFTER, HeaderValue::from(seconds))));
        response
    }
}

/// Gives rejections by axum, such as that of a path that is not UTF-8, the form of all other rejections.
pub(super) async fn reshape_framework_rejection(response: Response) -> Response {
    match framework_rejection::reason(response).await {
        Ok(reason) => reason.respond(|status, text| Rejection::new(status, text).into_response()),
        Err(response) => response,
    }
}

//! Error responses of the API, in the same JSON form as those of intake.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::framework_rejection;
use crate::intake::Rejection;
use crate::occasional::Occasional;
use crate::people::Refused;
use crate::query::{InvalidRange, QueryError};
use crate::triage::Refusal;

/// Requests that the database did not answer. A client can repeat them as often as it likes.
static FAILED: Occasional = Occasional::new();

/// An error response.
#[derive(Debug)]
pub(crate) struct Problem(Rejection);

impl Problem {
    pub(super) fn unauthorized(message: &str) -> Self {
        Self(Rejection::new(StatusCode::UNAUTHORIZED, message))
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self(Rejection::new(StatusCode::FORBIDDEN, message))
    }

    pub(super) fn not_found(kind: &str) -> Self {
        let message = format!("This {kind} does not exist, or the read token gives no access to it.");
        Self(Rejection::new(StatusCode::NOT_FOUND, message))
    }

    pub(super) fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self(Rejection::field(field, reason))
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        if let Some(requests) = FAILED.count() {
            let error: &dyn std::error::Error = &error;
            tracing::error!(error, requests, "cannot answer requests to the API; this is logged once a minute");
        }
        let message = if error.is_timeout() {
            "The query took too long and was stopped. Request a shorter time range."
        } else {
            "The database is not available. Try again in a moment."
        };
        Self(Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message))
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::ReadOnly => Self::forbidden(&refusal.to_string()),
            Refusal::NoError => Self::not_found("error"),
            Refusal::Invalid(reason) => Self(Rejection::new(StatusCode::BAD_REQUEST, reason)),
            Refusal::Database(error) => error.into(),
        }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NoAdmin => Self::forbidden(&refused.to_string()),
            Refused::Missing(kind) => Self::not_found(kind),
            Refused::Invalid { field, message } => Self::invalid(field, message),
            Refused::Database(error) => error.into(),
        }
    }
}

impl From<InvalidRange> for Problem {
    fn from(error: InvalidRange) -> Self {
        Self::invalid("range", error.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

/// Gives axum's own plain-text rejections the JSON form of all others.
pub(super) async fn format_rejection(response: Response) -> Response {
    match framework_rejection::reason(response).await {
        Ok(reason) => reason.respond(|status, text| {
            let message = format!("{}; see /api/v2/openapi.json for the valid requests.", text.trim_end_matches('.'));
            Rejection::new(status, message).into_response()
        }),
        Err(response) => response,
    }
}

/// Responds to a path that no route has.
pub(super) async fn no_route(uri: Uri) -> Problem {
    let message = format!("The API has no path {}; see /api/v2/openapi.json for the valid paths.", uri.path());
    Problem(Rejection::new(StatusCode::NOT_FOUND, message))
}

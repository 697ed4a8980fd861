//! Why a request was not answered, in the service's form for errors.

use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::framework_rejection;
use crate::intake::Rejection;
use crate::query::{InvalidRange, QueryError};

/// A request that was not answered.
#[derive(Debug)]
pub(super) struct Problem(Rejection);

impl Problem {
    pub(super) fn unauthorized(message: &str) -> Self {
        Self(Rejection::new(StatusCode::UNAUTHORIZED, message))
    }

    pub(super) fn forbidden(message: &str) -> Self {
        Self(Rejection::new(StatusCode::FORBIDDEN, message))
    }

    pub(super) fn missing(what: &str) -> Self {
        Self(Rejection::new(StatusCode::NOT_FOUND, format!("There is no such {what}, or it is not yours to see.")))
    }

    pub(super) fn invalid(field: &str, reason: impl Into<String>) -> Self {
        Self(Rejection::field(field, reason))
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        tracing::error!(%error, "an API request cannot be answered");
        let message = "The database does not answer. Ask again in a moment.";
        Self(Rejection::new(StatusCode::SERVICE_UNAVAILABLE, message))
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

/// Gives the framework's own refusals the form of all others.
pub(super) async fn in_form(response: Response) -> Response {
    match framework_rejection::status_and_text(response).await {
        Ok((status, text)) => {
            let message = format!("{}; /api/v2/openapi.json says what is understood.", text.trim_end_matches('.'));
            Rejection::new(status, message).into_response()
        }
        Err(response) => response,
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    let message = format!("There is nothing at {}; /api/v2/openapi.json says what there is.", uri.path());
    Problem(Rejection::new(StatusCode::NOT_FOUND, message))
}

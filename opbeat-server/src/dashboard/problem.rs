//! Pages that report an error, and link to the list of apps.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Page, page};
use crate::framework_rejection;
use crate::query::{InvalidRange, QueryError};

/// A page that cannot be shown.
#[derive(Debug)]
pub(super) enum Problem {
    /// The page, or the named thing that it shows, does not exist, or the reader may not see it.
    NotFound(&'static str),
    /// The range in the address is invalid.
    Range(InvalidRange),
    /// The database failed.
    Query(QueryError),
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<InvalidRange> for Problem {
    fn from(error: InvalidRange) -> Self {
        Self::Range(error)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title, text) = match &self {
            Self::NotFound(kind) => {
                (StatusCode::NOT_FOUND, "Not found", format!("There is no {kind} at this address."))
            }
            Self::Range(error) => (StatusCode::BAD_REQUEST, "Invalid time range", format!("{error}.")),
            Self::Query(error) => {
                tracing::error!(error = error as &dyn std::error::Error, "cannot show a page");
                let text = "The database is not available. Data from agents is still accepted. Try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, "Not available", text.to_owned())
            }
        };
        (status, message(title, &text)).into_response()
    }
}

/// Gives axum's own plain-text rejections, such as that of an id that is not a number, the form of a page.
pub(super) async fn format_rejection(response: Response) -> Response {
    match framework_rejection::status_and_text(response).await {
        Ok((status, text)) => (status, message("Invalid request", &text)).into_response(),
        Err(response) => response,
    }
}

/// Responds to an address that no route has.
pub(super) async fn no_route() -> Problem {
    Problem::NotFound("page")
}

fn message(title: &str, text: &str) -> Markup {
    let content = html! {
        section.empty {
            h1 { (title) }
            p { (text) }
            p { a href="/" { "Show all apps" } }
        }
    };
    page(&Page { title, app: None, tab: None, is_signed_in: false }, &content)
}

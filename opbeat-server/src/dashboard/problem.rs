//! Pages that say what went wrong, and where to go on.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Page, page};
use crate::framework_rejection;
use crate::query::{InvalidRange, QueryError};

/// A page that cannot be shown.
#[derive(Debug)]
pub(super) enum Problem {
    /// There is no such thing, or the reader may not see it.
    NotFound(&'static str),
    /// The address asks for something that cannot be.
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
            Self::NotFound(what) => {
                (StatusCode::NOT_FOUND, "Not found", format!("There is no {what} at this address."))
            }
            Self::Range(error) => (StatusCode::BAD_REQUEST, "No such time", format!("{error}.")),
            Self::Query(error) => {
                tracing::error!(%error, "a page cannot be shown");
                let text = "The database does not answer. What agents send is still accepted; try again in a moment.";
                (StatusCode::SERVICE_UNAVAILABLE, "Not available", text.to_owned())
            }
        };
        (status, message(title, &text)).into_response()
    }
}

/// Gives the framework's own refusals, such as that of a number that is none, the form of a page.
pub(super) async fn in_form(response: Response) -> Response {
    match framework_rejection::status_and_text(response).await {
        Ok((status, text)) => (status, message("This address is not understood", &text)).into_response(),
        Err(response) => response,
    }
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

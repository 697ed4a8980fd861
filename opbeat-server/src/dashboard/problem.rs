//! Pages that report an error, and link to the list of apps.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use super::layout::{Page, page};
use super::path;
use crate::framework_rejection;
use crate::occasional::Occasional;
use crate::people::Refused;
use crate::query::{InvalidRange, QueryError};
use crate::triage::Refusal;

/// Pages that the database did not answer, and those that took too long. A client can ask for them as often as it likes.
static FAILED: Occasional = Occasional::new();
static SLOW: Occasional = Occasional::new();

/// A page that cannot be shown.
#[derive(Debug)]
pub(super) enum Problem {
    /// The page, or the named thing that it shows, does not exist, or the reader may not see it.
    NotFound(&'static str),
    /// The range in the address is invalid.
    Range(InvalidRange),
    /// The form may have been sent by a page of another site.
    Forged,
    /// The reader may not make a change, or it is invalid.
    Refused(Refusal),
    /// A change of people is not made.
    People(Refused),
    /// The page is for admins of the organization.
    NoAdmin,
    /// Too many attempts failed. The next one is possible after a time.
    TooMany(Duration),
    /// The page took longer than its time limit.
    Slow,
    /// The database failed.
    Query(QueryError),
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        if error.is_timeout() { Self::Slow } else { Self::Query(error) }
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Database(error) => error.into(),
            refused => Self::People(refused),
        }
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
            Self::Forged => {
                let text = "The form was not sent from a page of this server, so it had no effect. \
                            Open the page again and repeat.";
                (StatusCode::FORBIDDEN, "Not sent from here", text.to_owned())
            }
            Self::Refused(Refusal::NoError) => return Self::NotFound("error").into_response(),
            Self::Refused(Refusal::Database(error)) => return unavailable(error).into_response(),
            Self::Refused(refusal @ Refusal::ReadOnly) => (StatusCode::FORBIDDEN, "Not changed", refusal.to_string()),
            Self::Refused(refusal @ Refusal::Invalid(_)) => {
                (StatusCode::BAD_REQUEST, "Not changed", refusal.to_string())
            }
            Self::People(Refused::Missing(kind)) => return Self::NotFound(kind).into_response(),
            Self::People(Refused::Database(error)) => return unavailable(error).into_response(),
            Self::People(refused @ Refused::NoAdmin) => (StatusCode::FORBIDDEN, "Not changed", refused.to_string()),
            Self::People(refused @ Refused::Invalid { .. }) => {
                (StatusCode::BAD_REQUEST, "Not changed", refused.to_string())
            }
            Self::TooMany(wait) => {
                let text = format!("Too many attempts failed. Try again in {} s.", wait.as_secs() + 1);
                (StatusCode::TOO_MANY_REQUESTS, "Too many attempts", text)
            }
            Self::NoAdmin => {
                let text = "Only admins of the organization may see this page.";
                (StatusCode::FORBIDDEN, "For admins", text.to_owned())
            }
            Self::Slow => {
                if let Some(pages) = SLOW.count() {
                    tracing::warn!(
                        pages,
                        "cannot read the data of pages within the time limit; this is logged once a minute"
                    );
                }
                let text = "The database did not return the data of this page within the time limit. \
                            Try a shorter time range, or try again later. Data from agents is still accepted.";
                (StatusCode::SERVICE_UNAVAILABLE, "This page takes too long", text.to_owned())
            }
            Self::Query(error) => return unavailable(error).into_response(),
        };
        (status, message(title, &text)).into_response()
    }
}

/// Gives axum's own plain-text rejections, such as that of an id that is not a number, the form of a page.
pub(super) async fn format_rejection(response: Response) -> Response {
    match framework_rejection::reason(response).await {
        Ok(reason) => reason.respond(|status, text| (status, message("Invalid request", &text)).into_response()),
        Err(response) => response,
    }
}

/// Responds to an address that no route has.
pub(super) async fn no_route() -> Problem {
    Problem::NotFound("page")
}

fn unavailable(error: &QueryError) -> (StatusCode, Markup) {
    if let Some(pages) = FAILED.count() {
        let error: &dyn std::error::Error = error;
        tracing::error!(error, pages, "cannot show pages; this is logged once a minute");
    }
    let text = "The database is not available. Data from agents is still accepted. Try again in a moment.";
    (StatusCode::SERVICE_UNAVAILABLE, message("Not available", text))
}

fn message(title: &str, text: &str) -> Markup {
    let content = html! {
        section.empty {
            h1 { (title) }
            p { (text) }
            p { a href=(path::apps()) { "Show all apps" } }
        }
    };
    page(&Page { title, app: None, tab: None, is_signed_in: false }, &content)
}

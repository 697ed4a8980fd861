//! The page that a link in a mail leads to, which turns mails off. The secret in it is enough: a mail program that presses the
//! button is not signed in (RFC 8058).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::dashboard::access::Dashboard;
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;

pub(in crate::dashboard) async fn unsubscribe(
    State(dashboard): State<Dashboard>,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    let email = dashboard.query.reader_of_mails(&secret).await?.ok_or(Problem::NotFound("link"))?;
    let content = html! {
        p { "Mails about errors go to " strong { (email) } "." }
        form.actions method="post" action=(path::unsubscribe(&secret)) {
            button.primary type="submit" { "Turn them off" }
        }
    };
    Ok(shown(&content).into_response())
}

/// Turns mails off. It needs no token of a form: only the mails contain the secret.
pub(in crate::dashboard) async fn stop_mails(
    State(dashboard): State<Dashboard>,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    if !dashboard.people.stop_mails(&secret).await? {
        return Err(Problem::NotFound("link"));
    }
    Ok(shown(&html! { p { "You get no more mails about errors. The page You turns them on again." } }).into_response())
}

fn shown(content: &Markup) -> Markup {
    let content = html! { h1 { "Mails" } (content) };
    page(&Page { title: "Mails", app: None, tab: None, is_signed_in: false }, &content)
}

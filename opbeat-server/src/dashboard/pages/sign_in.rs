//! Signing in with an organization's read token.

use axum::Form;
use axum::extract::{Query as Params, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::dashboard::access::SESSION;
use crate::dashboard::layout::{Page, page};
use crate::dashboard::problem::Problem;

/// Thirty days.
const MAX_AGE: u32 = 30 * 86_400;

#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Next {
    next: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::dashboard) struct Credentials {
    token: String,
    next: Option<String>,
}

pub(in crate::dashboard) async fn sign_in(Params(next): Params<Next>) -> Markup {
    form(next.next.as_deref(), false)
}

pub(in crate::dashboard) async fn submit_sign_in(
    State(dashboard): State<Dashboard>,
    headers: HeaderMap,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Problem> {
    let token = credentials.token.trim();
    // Only what can be a token goes into a header.
    let is_token = token.len() <= 128 && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_token || dashboard.query.scope_of(token).await?.is_none() {
        return Ok((StatusCode::UNAUTHORIZED, form(credentials.next.as_deref(), true)).into_response());
    }
    let cookie = cookie(&headers, token, MAX_AGE);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local(credentials.next.as_deref()))).into_response())
}

pub(in crate::dashboard) async fn sign_out(headers: HeaderMap) -> Response {
    ([(SET_COOKIE, cookie(&headers, "", 0))], Redirect::to("/sign-in")).into_response()
}

fn cookie(headers: &HeaderMap, token: &str, max_age: u32) -> String {
    let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    let secure = if is_https { "; Secure" } else { "" };
    format!("{SESSION}={token}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// Returns where to go on: never to another server.
fn local(next: Option<&str>) -> &str {
    next.filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\')).unwrap_or("/")
}

fn form(next: Option<&str>, is_refused: bool) -> Markup {
    let content = html! {
        section.empty {
            h1 { "Sign in" }
            p { "Pages are open to whoever sits at the server's own machine. From elsewhere, sign in with a read token of your organization:" }
            pre { code { "opbeat token create acme" } }
            form.sign-in method="post" action="/sign-in" {
                label { "Read token" input type="password" name="token" autocomplete="current-password" required autofocus; }
                input type="hidden" name="next" value=(local(next));
                @if is_refused { p.bad role="alert" { "This token is not known. Create a new one with the command above." } }
                button type="submit" { "Sign in" }
            }
        }
    };
    page(&Page { title: "Sign in", app: None, tab: None, is_signed_in: false }, &content)
}

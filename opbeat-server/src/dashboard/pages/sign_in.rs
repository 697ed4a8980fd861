//! The page that signs in with an organization's read token.

use axum::Form;
use axum::extract::{Query as Params, State};
use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{IntoResponse, Redirect, Response};
use cookie::time::Duration;
use cookie::{Cookie, SameSite};
use maud::{Markup, html};
use serde::Deserialize;

use crate::dashboard::access::{Dashboard, SESSION};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::problem::Problem;

/// The time for which a browser stays signed in.
const MAX_AGE: Duration = Duration::days(30);

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
    // Only a text with the characters of a token goes into a header.
    let is_token = token.len() <= 128 && token.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !is_token || dashboard.query.scope_of(token).await?.is_none() {
        return Ok((StatusCode::UNAUTHORIZED, form(credentials.next.as_deref(), true)).into_response());
    }
    let cookie = session_cookie(&headers, token, MAX_AGE);
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local_path(credentials.next.as_deref()))).into_response())
}

pub(in crate::dashboard) async fn sign_out(headers: HeaderMap) -> Response {
    ([(SET_COOKIE, session_cookie(&headers, "", Duration::ZERO))], Redirect::to("/sign-in")).into_response()
}

/// Returns the header that sets the session cookie. A maximum age of zero removes it.
fn session_cookie(headers: &HeaderMap, token: &str, max_age: Duration) -> String {
    let is_https = headers.get("x-forwarded-proto").is_some_and(|scheme| scheme.as_bytes() == b"https");
    let cookie = Cookie::build((SESSION, token)).path("/").max_age(max_age).http_only(true);
    cookie.same_site(SameSite::Lax).secure(is_https).to_string()
}

/// Returns the path to continue at, which is always on this server: `/` for any other address.
fn local_path(next: Option<&str>) -> &str {
    next.filter(|next| next.starts_with('/') && !next.starts_with("//") && !next.contains('\\')).unwrap_or("/")
}

fn form(next: Option<&str>, is_rejected: bool) -> Markup {
    let content = html! {
        section.empty {
            h1 { "Sign in" }
            p { "Sign in with a read token of your organization. Run this command on the server's machine to create one:" }
            pre { code { "opbeat token create acme" } }
            form.sign-in method="post" action="/sign-in" {
                label { "Read token" input type="password" name="token" autocomplete="current-password" required autofocus; }
                input type="hidden" name="next" value=(local_path(next));
                @if is_rejected { p.bad role="alert" { "This token is unknown. Create a new one with the command above." } }
                button type="submit" { "Sign in" }
            }
            p.muted { "Browsers on the server's own machine need no token if the server listens on a loopback address." }
        }
    };
    page(&Page { title: "Sign in", app: None, tab: None, is_signed_in: false }, &content)
}

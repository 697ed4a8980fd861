//! The page that signs in, with a read token or by the link that the server prints.

use axum::Form;
use axum::extract::Query as Params;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::html;
use serde::Deserialize;

use crate::dashboard::access::{Browser, rights};
use crate::dashboard::cookies;
use crate::dashboard::forged::{form_token, is_forged};
use crate::dashboard::format::in_code;
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::sessions::Rejected;

/// The largest token, in bytes.
const MAX_TOKEN: usize = 256;

#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Link {
    token: Option<String>,
    next: Option<String>,
}

#[derive(Deserialize)]
pub(in crate::dashboard) struct Credentials {
    #[serde(default)]
    token: String,
    next: Option<String>,
    form: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(in crate::dashboard) struct SignOut {
    form: Option<String>,
}

/// Shows the form. A link with the token of this run signs in at once, and the redirect removes the token from the
/// address.
pub(in crate::dashboard) async fn sign_in(browser: Browser, Params(link): Params<Link>) -> Result<Response, Problem> {
    let next = path::after_sign_in(link.next.as_deref());
    let Some(token) = link.token else { return Ok(form(StatusCode::OK, &browser, &next, None)) };
    let Browser { sessions, headers, site } = &browser;
    if let Some(session) = sessions.open_by_link(&token, cookies::session(site, headers)) {
        return Ok(continue_with(&browser, &session, &next));
    }
    if rights(sessions, site, headers).await?.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let message = "This link is no longer valid: the server was started again since. Run `opbeat link` for a new one.";
    Ok(form(StatusCode::UNAUTHORIZED, &browser, &next, Some(message)))
}

pub(in crate::dashboard) async fn submit_sign_in(
    browser: Browser,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Problem> {
    if is_forged(&browser, credentials.form.as_deref()) {
        return Err(Problem::Forged);
    }
    let next = path::after_sign_in(credentials.next.as_deref());
    let token = credentials.token.trim();
    let opened = match token.len() {
        1..=MAX_TOKEN => {
            let before = cookies::session(&browser.site, &browser.headers);
            browser.sessions.open(browser.site.client, token, before).await?
        }
        _ => Err(Rejected::Unknown),
    };
    match opened {
        Ok(session) => Ok(continue_with(&browser, &session, &next)),
        Err(Rejected::Unknown) => {
            let message = "This token is unknown. Create a new one with the command below.";
            Ok(form(StatusCode::UNAUTHORIZED, &browser, &next, Some(message)))
        }
        Err(Rejected::TooMany(wait)) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("Too many attempts failed. Try again in {seconds} s.");
            let page = form(StatusCode::TOO_MANY_REQUESTS, &browser, &next, Some(&message));
            Ok(([(RETRY_AFTER, seconds.to_string())], page).into_response())
        }
    }
}

/// Sets the cookie of a new session.
fn continue_with(browser: &Browser, session: &str, next: &str) -> Response {
    ([(SET_COOKIE, cookies::set_session(&browser.site, session))], Redirect::to(next)).into_response()
}

pub(in crate::dashboard) async fn sign_out(
    browser: Browser,
    form: Result<Form<SignOut>, FormRejection>,
) -> Result<Response, Problem> {
    // A request without a form has no token. It can still be from this server.
    let token = form.ok().and_then(|Form(sign_out)| sign_out.form);
    if is_forged(&browser, token.as_deref()) {
        return Ok(confirm_sign_out(&browser));
    }
    if let Some(session) = cookies::session(&browser.site, &browser.headers) {
        browser.sessions.close(session).await?;
    }
    Ok(([(SET_COOKIE, cookies::remove_session(&browser.site))], Redirect::to(&path::sign_in())).into_response())
}

/// Shows the form, with a token that proves where it came from.
fn form(status: StatusCode, browser: &Browser, next: &str, message: Option<&str>) -> Response {
    let (token, set_cookie) = form_token(browser);
    let content = html! {
        section.sign-in {
            h1 { "Sign in" }
            form.sign-in method="post" action=(path::sign_in()) {
                @if let Some(message) = message { p.bad #problem role="alert" { (in_code(message)) } }
                label for="token" { "Read token" }
                input #token type="password" name="token" autocomplete="current-password" required autofocus
                    aria-invalid=[message.map(|_| "true")] aria-describedby=[message.map(|_| "problem")];
                input type="hidden" name="next" value=(next);
                input type="hidden" name="form" value=(token);
                button.primary type="submit" { "Sign in" }
            }
            h2 { "No token yet?" }
            p { "On the server's machine, one of these commands helps. Use the same " code { "--data" } " folder as the server." }
            dl.commands {
                dt { code { "opbeat link" } }
                dd { "prints a link that signs you in to all organizations" }
                dt { code { "opbeat token create acme" } }
                dd { "prints a read token for the organization acme" }
            }
        }
    };
    let page = page(&Page { title: "Sign in", app: None, tab: None, is_signed_in: false }, &content);
    (status, AppendHeaders([(SET_COOKIE, set_cookie)]), page).into_response()
}

/// Asks again, since the reader may have pressed the button behind a proxy that replaces the `Host` header.
fn confirm_sign_out(browser: &Browser) -> Response {
    let (token, set_cookie) = form_token(browser);
    let content = html! {
        section.empty {
            h1 { "Sign out?" }
            p { "You are still signed in. This request may come from another site." }
            form method="post" action=(path::sign_out()) {
                input type="hidden" name="form" value=(token);
                button.primary type="submit" { "Sign out" }
            }
            p { a href=(path::apps()) { "Show all apps" } }
        }
    };
    let page = page(&Page { title: "Sign out", app: None, tab: None, is_signed_in: false }, &content);
    (StatusCode::FORBIDDEN, AppendHeaders([(SET_COOKIE, set_cookie)]), page).into_response()
}

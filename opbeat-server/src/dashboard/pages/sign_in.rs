//! The page that signs in: with a password, with a read token, or by the link that the server prints.

use axum::Form;
use axum::extract::Query as Params;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;

use crate::dashboard::access::{Browser, Ways};
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
    email: Option<String>,
    #[serde(default)]
    password: String,
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
/// address. If the server has no person yet, it leads to the first run, unless it names another page.
pub(in crate::dashboard) async fn sign_in(browser: Browser, Params(link): Params<Link>) -> Result<Response, Problem> {
    let next = path::after_sign_in(link.next.as_deref());
    let Some(token) = link.token else { return Ok(form(StatusCode::OK, &browser, &next, &Failure::None).await) };
    if let Some(session) = browser.sessions.open_by_link(&token, browser.source().before) {
        let is_first = link.next.is_none() && browser.sessions.needs_first_run().await;
        return Ok(browser.continue_with(&session, &if is_first { path::first_run() } else { next }));
    }
    if browser.rights().await?.is_some() {
        return Ok(Redirect::to(&next).into_response());
    }
    let message = "This link is no longer valid: the server was started again since. Run `opbeat link` for a new one.";
    Ok(form(StatusCode::UNAUTHORIZED, &browser, &next, &Failure::OfToken(message)).await)
}

/// Signs in with an e-mail address and a password, or with a token.
pub(in crate::dashboard) async fn submit_sign_in(
    browser: Browser,
    Form(credentials): Form<Credentials>,
) -> Result<Response, Problem> {
    if is_forged(&browser, credentials.form.as_deref()) {
        return Err(Problem::Forged);
    }
    let next = path::after_sign_in(credentials.next.as_deref());
    let token = credentials.token.trim();
    let email = credentials.email.as_deref();
    if let Some(email) = email.filter(|_| !browser.ways.passwords) {
        let failure = Failure::OfPassword(email, "Passwords are turned off on this server.");
        return Ok(form(StatusCode::FORBIDDEN, &browser, &next, &failure).await);
    }
    let opened = match (email, token.len()) {
        (Some(email), _) => browser.sessions.open_by_password(browser.source(), email, &credentials.password).await?,
        (None, 1..=MAX_TOKEN) => browser.sessions.open(browser.site.client, token, browser.source().before).await?,
        (None, _) => Err(Rejected::Unknown),
    };
    match opened {
        Ok(session) => Ok(browser.continue_with(&session, &next)),
        Err(Rejected::Unknown) => {
            let failure = match email {
                Some(email) => Failure::OfPassword(email, "This e-mail address or this password is wrong."),
                None => Failure::OfToken("This token is unknown. Create a new one with the command below."),
            };
            Ok(form(StatusCode::UNAUTHORIZED, &browser, &next, &failure).await)
        }
        Err(Rejected::TooMany(wait)) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("Too many attempts failed. Try again in {seconds} s.");
            let failure = email.map_or(Failure::OfToken(&message), |email| Failure::OfPassword(email, &message));
            let page = form(StatusCode::TOO_MANY_REQUESTS, &browser, &next, &failure).await;
            Ok(([(RETRY_AFTER, seconds.to_string())], page).into_response())
        }
    }
}

/// A sign-in that failed, with the message for the reader.
pub(super) enum Failure<'a> {
    None,
    /// By the provider.
    OfProvider(&'a str),
    /// With an e-mail address and a password.
    OfPassword(&'a str, &'a str),
    /// With a token.
    OfToken(&'a str),
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

/// Shows the forms, with a token that proves where they came from.
pub(super) async fn form(status: StatusCode, browser: &Browser, next: &str, failure: &Failure<'_>) -> Response {
    let (token, set_cookie) = form_token(browser);
    let Ways { passwords, provider } = &browser.ways;
    let has_people = !browser.sessions.needs_first_run().await;
    let hidden = html! {
        input type="hidden" name="next" value=(next);
        input type="hidden" name="form" value=(token);
    };
    let content = html! {
        section.sign-in {
            h1 { "Sign in" }
            @if let Some(provider) = provider { (by_provider(provider.name(), next, failure, *passwords)) }
            @if has_people || provider.is_some() {
                @if *passwords && has_people { (with_password(&hidden, failure)) }
                details.sign-in open[matches!(failure, Failure::OfToken(_))] {
                    summary { "Use a token" }
                    (with_token(&hidden, failure))
                }
            } @else {
                (with_token(&hidden, failure))
            }
            h2 { "No account and no token yet?" }
            p { "An admin of your organization can invite you. On the server's machine, one of these commands helps. Use the same " code { "--data" } " folder as the server." }
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

/// A link, and no form: browsers apply the policy for the targets of forms to redirects too, which lead to the provider.
fn by_provider(name: &str, next: &str, failure: &Failure<'_>, passwords: bool) -> Markup {
    let message = match failure {
        Failure::OfProvider(message) => Some(*message),
        // The form that has the message is not on the page.
        Failure::OfPassword(_, message) if !passwords => Some(*message),
        Failure::None | Failure::OfPassword(..) | Failure::OfToken(_) => None,
    };
    html! {
        div.sign-in.by-provider {
            @if let Some(message) = message { p.bad #provider-problem role="alert" { (message) } }
            a.button.primary href=(path::start_by_provider(next)) aria-describedby=[message.map(|_| "provider-problem")] {
                "Sign in with " (name)
            }
        }
    }
}

fn with_password(hidden: &Markup, failure: &Failure<'_>) -> Markup {
    let (email, message) = match failure {
        Failure::OfPassword(email, message) => (*email, Some(*message)),
        Failure::None | Failure::OfProvider(_) | Failure::OfToken(_) => ("", None),
    };
    html! {
        form.sign-in method="post" action=(path::sign_in()) {
            @if let Some(message) = message { p.bad #password-problem role="alert" { (message) } }
            label for="email" { "E-mail address" }
            input #email type="email" name="email" value=(email) autocomplete="username" required maxlength="254"
                autofocus[email.is_empty()];
            label for="password" { "Password" }
            input #password type="password" name="password" autocomplete="current-password" required
                autofocus[!email.is_empty()] aria-invalid=[message.map(|_| "true")]
                aria-describedby=[message.map(|_| "password-problem")];
            (hidden)
            button.primary type="submit" { "Sign in" }
        }
    }
}

fn with_token(hidden: &Markup, failure: &Failure<'_>) -> Markup {
    let message = match failure {
        Failure::OfToken(message) => Some(*message),
        Failure::None | Failure::OfProvider(_) | Failure::OfPassword(..) => None,
    };
    html! {
        form.sign-in method="post" action=(path::sign_in()) {
            @if let Some(message) = message { p.bad #problem role="alert" { (in_code(message)) } }
            // Password managers would keep the token under the name of another account.
            input type="text" autocomplete="username" value="token" hidden readonly;
            label for="token" { "Read token" }
            input #token type="password" name="token" autocomplete="current-password" required
                aria-invalid=[message.map(|_| "true")] aria-describedby=[message.map(|_| "problem")];
            (hidden)
            button.primary type="submit" { "Sign in" }
        }
    }
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

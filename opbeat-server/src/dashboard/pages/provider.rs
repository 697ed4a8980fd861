//! Sign-in by the provider of OpenID Connect: to its page, and back.

use axum::extract::Query as Params;
use axum::http::StatusCode;
use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::sign_in::{Failure as Failed, form};
use crate::dashboard::access::Browser;
use crate::dashboard::cookies;
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::identity::NotAdmitted;
use crate::occasional::Occasional;
use crate::openid_connect::{Answer, Cause, Failure, Provider};

/// Sign-ins that failed. A client can cause them as often as it likes.
static FAILED: Occasional = Occasional::new();
static REFUSED: Occasional = Occasional::new();

#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Start {
    next: Option<String>,
}

/// The address to which the provider leads the browser back.
#[derive(Deserialize)]
pub(in crate::dashboard) struct Back {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Leads the browser to the page of the provider, with a cookie that the answer must belong to.
pub(in crate::dashboard) async fn start_by_provider(
    browser: Browser,
    Params(start): Params<Start>,
) -> Result<Response, Problem> {
    let provider = provider(&browser)?;
    let next = path::after_sign_in(start.next.as_deref());
    match provider.start(&callback(&browser), &next).await {
        Ok((url, cookie)) => {
            let cookie = cookies::set_handshake(&browser.site, &cookie);
            Ok(([(SET_COOKIE, cookie)], Redirect::to(&url)).into_response())
        }
        Err(failure) => Ok(explain(&browser, &provider, &next, &failure).await),
    }
}

/// Signs in the person whom the provider's answer names. Each answer ends its handshake.
pub(in crate::dashboard) async fn back_from_provider(
    browser: Browser,
    Params(back): Params<Back>,
) -> Result<Response, Problem> {
    let provider = provider(&browser)?;
    let response = match browser.sessions.begin_by_provider(browser.site.client) {
        Ok(()) => finish(&browser, &provider, &back).await?,
        Err(wait) => {
            let seconds = wait.as_secs() + 1;
            let message = format!("Too many attempts failed. Try again in {seconds} s.");
            let page = refuse(StatusCode::TOO_MANY_REQUESTS, &browser, &path::apps(), &message).await;
            ([(RETRY_AFTER, seconds.to_string())], page).into_response()
        }
    };
    let cookie = cookies::remove_handshake(&browser.site);
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), response).into_response())
}

async fn finish(browser: &Browser, provider: &Provider, back: &Back) -> Result<Response, Problem> {
    let answer = Answer {
        code: back.code.as_deref(),
        state: back.state.as_deref(),
        issuer: back.iss.as_deref(),
        error: back.error.as_deref(),
    };
    let cookie = cookies::handshake(&browser.site, &browser.headers);
    let (identity, next) = match provider.finish(&callback(browser), cookie, answer).await {
        Ok(finished) => finished,
        Err(failure) => return Ok(explain(browser, provider, &path::apps(), &failure).await),
    };
    let email = identity.email.clone().unwrap_or_default();
    let admitted = browser.people.admit(identity, provider.admission(), browser.site.client).await?;
    let session = match admitted {
        Ok(person_id) => browser.sessions.open_for_person(browser.source(), &person_id).await?,
        Err(reason) => return Ok(turn_away(browser, provider.name(), &email, reason).await),
    };
    let Some(session) = session else {
        return Ok(turn_away(browser, provider.name(), &email, NotAdmitted::Removed).await);
    };
    browser.sessions.end_by_provider(browser.site.client);
    // The path is in a cookie, which anybody can write.
    Ok(browser.continue_with(&session, &path::after_sign_in(Some(&next))))
}

fn provider(browser: &Browser) -> Result<Provider, Problem> {
    browser.ways.provider.clone().ok_or(Problem::NotFound("page"))
}

/// Returns the address to which the provider leads browsers back. It is registered there.
fn callback(browser: &Browser) -> String {
    browser.site.url(path::BACK_FROM_PROVIDER)
}

/// Shows why a sign-in failed at the provider, and what to do.
async fn explain(browser: &Browser, provider: &Provider, next: &str, failure: &Failure) -> Response {
    if let Some(sign_ins) = FAILED.count() {
        let error: &dyn std::error::Error = failure;
        tracing::warn!(error, sign_ins, "sign-ins by the provider failed; this is logged once a minute");
    }
    let name = provider.name();
    let (status, message) = match failure.cause {
        Cause::Away => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!(
                "{name} cannot be reached, or is not set up for this server. Try again in a moment. The log has the reason."
            ),
        ),
        Cause::Denied => (
            StatusCode::FORBIDDEN,
            format!("{name} did not let you in, or you cancelled. Try again, or ask those who administer {name}."),
        ),
        Cause::Handshake => (
            StatusCode::BAD_REQUEST,
            "This sign-in took longer than 10 minutes, was used already, or began in another browser. Start again."
                .to_owned(),
        ),
        Cause::Rejected => (
            StatusCode::BAD_GATEWAY,
            format!(
                "{name} did not accept the sign-in. Start again. If it fails again, the secret of this server there may be wrong."
            ),
        ),
        Cause::Clock => (
            StatusCode::BAD_GATEWAY,
            format!(
                "The answer of {name} is valid at another time. Start again. If it fails again, compare the clocks of {name} and of this server."
            ),
        ),
        Cause::Token => (
            StatusCode::BAD_GATEWAY,
            format!(
                "The answer of {name} cannot be trusted, so nobody was signed in. Start again. The log has the reason."
            ),
        ),
    };
    refuse(status, browser, next, &message).await
}

/// Shows why a person of the provider does not come in.
async fn turn_away(browser: &Browser, name: &str, email: &str, reason: NotAdmitted) -> Response {
    if let Some(people) = REFUSED.count() {
        tracing::info!(?reason, people, "people of the provider were not let in; this is logged once a minute");
    }
    let message = match reason {
        NotAdmitted::NoAddress => {
            format!(
                "{name} does not send your e-mail address to this server. Ask those who administer {name} to release it."
            )
        }
        NotAdmitted::Unverified => {
            format!("{name} has not verified that {email} is your e-mail address. Verify it there, and sign in again.")
        }
        NotAdmitted::Domain => {
            format!("Addresses such as {email} may not sign in here. Use an account of your company.")
        }
        NotAdmitted::Unknown => {
            format!(
                "There is nobody with the address {email} here. Ask an admin of your organization for an invitation."
            )
        }
        NotAdmitted::Removed => {
            format!("{email} may not sign in any more. Ask an admin of your organization for an invitation.")
        }
        NotAdmitted::Linked => format!(
            "{email} is linked with another account of {name}. Ask an admin of your organization to remove that link on your page."
        ),
    };
    refuse(StatusCode::FORBIDDEN, browser, &path::apps(), &message).await
}

async fn refuse(status: StatusCode, browser: &Browser, next: &str, message: &str) -> Response {
    form(status, browser, next, &Failed::OfProvider(message)).await
}

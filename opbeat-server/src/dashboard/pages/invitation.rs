//! The page of an invitation, which its secret link opens.

use axum::extract::{Path, RawForm};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

use crate::dashboard::access::Browser;
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::people::NewAccount;
use crate::query::{Holder, Invitation, Rights};

/// Shows an invitation, and asks for what is missing: an account, or a sign-in.
pub(in crate::dashboard) async fn invitation(
    browser: Browser,
    Path(secret): Path<String>,
) -> Result<Response, Problem> {
    show(&browser, &secret, "", None).await
}

/// Accepts an invitation with a new account, or as the person who is signed in.
pub(in crate::dashboard) async fn accept_invitation(
    browser: Browser,
    Path(secret): Path<String>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let invitation = find(&browser, &secret).await?;
    let (rights, address) = (browser.rights().await?, browser.site.client);
    let name = posted.value("name");
    let joined = match &rights {
        Some(rights) if is_for(&invitation, rights) => browser.people.join_as_known(&secret, rights, address).await,
        _ => {
            // Without passwords, the provider has to show whose address it is.
            if !browser.ways.passwords {
                return show(&browser, &secret, name, None).await;
            }
            let password = Some(posted.value("password"));
            let account = NewAccount { name, email: &invitation.email, password };
            browser.people.join_as_new(&secret, account, address).await
        }
    };
    match joined {
        Ok(person_id) => {
            let session = browser.open_for(&person_id).await?;
            Ok(browser.continue_with(&session, &path::apps()))
        }
        Err(refused) => show(&browser, &secret, name, mistake(refused)?).await,
    }
}

async fn find(browser: &Browser, secret: &str) -> Result<Invitation, Problem> {
    browser.query.invitation(secret).await?.ok_or(Problem::NotFound("invitation that can be accepted"))
}

/// Returns whether an invitation is for the person who is signed in.
fn is_for(invitation: &Invitation, rights: &Rights) -> bool {
    matches!(&rights.holder, Holder::Person { email, .. } if *email == invitation.email)
}

async fn show(browser: &Browser, secret: &str, name: &str, mistake: Mistake) -> Result<Response, Problem> {
    let invitation = find(browser, secret).await?;
    let token = FormToken::of(browser);
    let target = path::link(&path::invitation(secret));
    let is_own = browser.rights().await?.is_some_and(|rights| is_for(&invitation, &rights));
    let form = if is_own {
        html! { button.primary type="submit" { "Join " (invitation.organization) } }
    } else if browser.people.has_account(&invitation.email).await? {
        let next = path::encode(&path::invitation(secret));
        let content = html! {
            (about(&invitation))
            p { "There is an account with this address. Sign in with it to accept the invitation." }
            p { a href={ (path::sign_in()) "?next=" (next) } { "Sign in" } }
        };
        return Ok(respond(token, StatusCode::OK, &content).into_response());
    } else if !browser.ways.passwords {
        let content = html! {
            (about(&invitation))
            (by_provider(browser, &path::apps(), "Sign in with this address to join."))
        };
        return Ok(respond(token, StatusCode::OK, &content).into_response());
    } else {
        let text = Field { name: "name", label: "Your name", kind: "text", value: name, autocomplete: "name" };
        let password = Field {
            name: "password",
            label: "Password, at least 10 characters",
            kind: "password",
            value: "",
            autocomplete: "new-password",
        };
        html! {
            input type="hidden" autocomplete="username" value=(invitation.email);
            (field(text, mistake))
            (field(password, mistake))
            button.primary type="submit" { "Join " (invitation.organization) }
        }
    };
    let content = html! {
        (about(&invitation))
        @if !is_own { (by_provider(browser, &path::apps(), "If this is your address there, you join without a password.")) }
        form.sign-in method="post" action=(target) { (token.hidden()) (form) }
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    Ok(respond(token, status, &content))
}

/// Renders the button of the provider, if there is one. The provider shows whose address it is, so that a person joins by
/// signing in.
fn by_provider(browser: &Browser, next: &str, meaning: &str) -> Markup {
    html! {
        @if let Some(provider) = &browser.ways.provider {
            div.sign-in.by-provider {
                a.button.primary href=(path::start_by_provider(next)) { "Join with " (provider.name()) }
                p.muted { (meaning) }
            }
        }
    }
}

fn about(invitation: &Invitation) -> Markup {
    html! {
        h1 { "Join " (invitation.organization) }
        p {
            (invitation.invited_by) " invites " strong { (invitation.email) } " as " (invitation.role.as_str()) ", who "
            (invitation.role.meaning()) "."
        }
    }
}

fn respond(token: FormToken, status: StatusCode, content: &Markup) -> Response {
    let content = html! { section.sign-in { (content) } };
    token.respond(status, page(&Page { title: "Invitation", app: None, tab: None, is_signed_in: false }, &content))
}

//! The first run: the owner of the server creates an account, and the first app.

use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::cookies;
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::people::{FirstApp, NewAccount};
use crate::query::Holder;

/// The values that the form has, at first the defaults.
struct Values<'a> {
    name: &'a str,
    email: &'a str,
    organization: &'a str,
    app: &'a str,
}

/// Shows the form to the owner who opened the sign-in link. Other readers cannot create the first account.
pub(in crate::dashboard) async fn first_run(reader: Reader, browser: Browser) -> Result<Response, Problem> {
    if !is_open(&reader, &browser).await {
        return Ok(Redirect::to(&path::apps()).into_response());
    }
    let values = Values { name: "", email: "", organization: "my-company", app: "my-app" };
    form(&reader, &browser, &values, None).await
}

/// Creates the owner, and shows the first app with its secret token.
pub(in crate::dashboard) async fn submit_first_run(
    reader: Reader,
    browser: Browser,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    if !is_open(&reader, &browser).await {
        return Ok(Redirect::to(&path::apps()).into_response());
    }
    let [name, email, organization, app] =
        ["name", "email", "organization", "app"].map(|field| posted.value(field).trim());
    let values = Values { name, email, organization, app };
    let account = NewAccount { name, email, password: browser.ways.passwords.then(|| posted.value("password")) };
    let author = (&reader.rights, browser.site.client);
    let owner = match reader.people.first_run(account, (organization, app), author).await {
        Ok(Some(owner)) => owner,
        // Another browser was faster.
        Ok(None) => return Ok(Redirect::to(&path::apps()).into_response()),
        Err(refused) => return form(&reader, &browser, &values, mistake(refused)?).await,
    };
    let session = browser.open_for(&owner.person_id).await?;
    let Some(first) = owner.app else { return Ok(browser.continue_with(&session, &path::apps())) };
    let content = waiting(&browser, (organization, app), &first);
    let page =
        page(&Page { title: "Waiting for the first request", app: None, tab: None, is_signed_in: true }, &content);
    let cookie = cookies::set_session(&browser.site, &session);
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), page).into_response())
}

async fn is_open(reader: &Reader, browser: &Browser) -> bool {
    reader.rights.holder == Holder::Link && browser.sessions.needs_first_run().await
}

async fn form(reader: &Reader, browser: &Browser, values: &Values<'_>, mistake: Mistake) -> Result<Response, Problem> {
    let token = FormToken::of(browser);
    let is_empty = reader.query.organizations(&reader.rights.scope).await?.is_empty();
    let text = |name, label, value| Field { name, label, kind: "text", value, autocomplete: "off" };
    let content = html! {
        section.sign-in {
            h1 { "Welcome to Opbeat" }
            p { "Create your account. You own this server, and can invite others afterwards." }
            form.sign-in method="post" action=(path::first_run()) {
                (token.hidden())
                (field(Field { autocomplete: "name", ..text("name", "Your name", values.name) }, mistake))
                (field(Field { kind: "email", autocomplete: "username", ..text("email", "E-mail address", values.email) }, mistake))
                @if let (false, Some(provider)) = (browser.ways.passwords, &browser.ways.provider) {
                    p.muted { "You sign in with " (provider.name()) ". This address must be verified there." }
                } @else {
                (field(Field { kind: "password", autocomplete: "new-password", ..text("password", "Password, at least 10 characters", "") }, mistake))
                }
                @if is_empty {
                    p.muted { "An organization has apps, which are what you monitor. Both names are parts of addresses." }
                    (field(text("organization", "Organization", values.organization), mistake))
                    (field(text("app", "First app", values.app), mistake))
                } @else {
                    input type="hidden" name="organization" value=(values.organization);
                    input type="hidden" name="app" value=(values.app);
                }
                button.primary type="submit" { "Create the account" }
            }
            p { a href=(path::apps()) { "Not now" } }
        }
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = page(&Page { title: "Welcome", app: None, tab: None, is_signed_in: true }, &content);
    Ok(token.respond(status, page))
}

/// Shows the settings of the first app's agent. The secret token cannot be shown again.
fn waiting(browser: &Browser, (organization, app): (&str, &str), first: &FirstApp) -> Markup {
    let url = browser.site.url("");
    let app_page = path::link(&format!("/{organization}/{app}/"));
    html! {
        section.steps {
            h1 { "Waiting for the first request of " (app) }
            p { "Set these environment variables where the application runs:" }
            pre.copied tabindex="0" { code {
                "export OPBEAT_SERVER_URL=" (url) "\n"
                "export OPBEAT_ORGANIZATION_ID=" (first.organization_id) "\n"
                "export OPBEAT_APP_ID=" (first.app_id) "\n"
                "export OPBEAT_SECRET_TOKEN=" (first.secret_token) "\n"
            } }
            p { strong { "Copy them now: the secret token is shown once." } " The server keeps only its hash." }
            p { a href=(app_page) { "Go on: connect " (organization) " / " (app) } }
        }
    }
}

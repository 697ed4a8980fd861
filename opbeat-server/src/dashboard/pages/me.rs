//! The page of the person who is signed in: name, organizations, password and sessions.

use axum::extract::RawForm;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::identities::identities;
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::cookies;
use crate::dashboard::format::{ago, time};
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake, reason};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::intake::hash_token;
use crate::notification::{Mails, Preferences};
use crate::people::{CURRENT_PASSWORD, Ended, Refused};
use crate::query::{Holder, PersonSession};
use crate::random::{hex, parse_hex};

pub(in crate::dashboard) async fn me(reader: Reader, browser: Browser) -> Result<Response, Problem> {
    show(&reader, &browser, None).await
}

/// Changes the name or the password, or ends sessions.
pub(in crate::dashboard) async fn change_me(
    reader: Reader,
    browser: Browser,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let session = cookies::session(&browser.site, &browser.headers).unwrap_or_default();
    let (people, rights) = (&reader.people, &reader.rights);
    let changed = match posted.value("action") {
        "name" => people.rename(rights, posted.value("name")).await,
        "password" if !browser.ways.passwords || !has_password(&reader).await? => return Err(Posted::no_action()),
        "unlink" => people.unlink(rights, browser.site.client, posted.value("issuer")).await,
        "password" => {
            let passwords = (posted.value(CURRENT_PASSWORD), posted.value("new"));
            if let Some(wait) = browser.sessions.begin_password_change(browser.source(), rights) {
                return Err(Problem::TooMany(wait));
            }
            let changed = people.change_password((rights, browser.site.client), passwords, session).await;
            // A new password that is refused says nothing about the current one.
            if !matches!(changed, Err(Refused::Invalid { field: CURRENT_PASSWORD, .. })) {
                browser.sessions.end_password_change(browser.source(), rights);
            }
            changed
        }
        "mails" => {
            people
                .change_mails(
                    rights,
                    posted.value("mails"),
                    (posted.value("quiet_from"), posted.value("quiet_to"), posted.value("time_zone")),
                )
                .await
        }
        "end-session" => match parse_hex(posted.value("session")) {
            Some(hash) => people.end_sessions(rights, Ended::One(hash)).await,
            None => return Err(Problem::NotFound("session")),
        },
        "end-others" => people.end_sessions(rights, Ended::Others(session)).await,
        _ => return Err(Posted::no_action()),
    };
    match changed {
        Ok(()) => Ok(Redirect::to(&path::me()).into_response()),
        Err(refused) => show(&reader, &browser, mistake(refused)?).await,
    }
}

async fn show(reader: &Reader, browser: &Browser, mistake: Mistake) -> Result<Response, Problem> {
    let token = FormToken::of(browser);
    let account = match &reader.rights.holder {
        Holder::Person { id, .. } => reader.query.account(id).await?,
        Holder::Link | Holder::Token => None,
    };
    let organizations = reader.query.organizations(&reader.rights.scope).await?;
    let content = html! {
        h1 { "You" }
        @if let Some(account) = &account {
            p { "You are signed in as " strong { (account.email) } @if account.is_owner { ", an owner of this server" } "." }
            form.sign-in.stacked method="post" action=(path::me()) {
                (token.action("name"))
                (field(Field { name: "name", label: "Name", kind: "text", value: &account.name, autocomplete: "name" }, mistake))
                button type="submit" { "Change the name" }
            }
        } @else {
            p { "You are signed in as " strong { (reader.rights.full_name()) } ", and not as a person." }
            @if reader.rights.holder == Holder::Link && browser.sessions.needs_first_run().await {
                p { a href=(path::first_run()) { "Create your account" } }
            }
        }
        h2 { "Organizations" }
        @if organizations.is_empty() { p.empty { "You belong to no organization. Ask an admin for an invitation." } }
        ul {
            @for organization in &organizations {
                li {
                    a href=(path::people(&organization.name)) { (organization.name) }
                    @if let Some(role) = reader.rights.scope.role_in(&organization.id) { span.muted { " " (role.as_str()) } }
                }
            }
        }
        @if let Some(account) = &account {
            (mails(&token, &reader.query.preferences(&account.id).await?, mistake))
            @if browser.ways.passwords && account.password.is_some() { (password(&token, &account.email, mistake)) }
            (identities(&path::me(), Some(&token), &reader.query.identities(&account.id).await?))
            (sessions(&token, &reader.query.sessions(&account.id).await?, browser))
        }
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page =
        page(&Page { title: "You", app: None, tab: Some(Tab::You), is_signed_in: reader.is_signed_in }, &content);
    Ok(token.respond(status, page))
}

/// Returns whether the reader is a person with a password. One who came by the provider has none.
async fn has_password(reader: &Reader) -> Result<bool, Problem> {
    let Some(id) = reader.rights.person() else { return Ok(false) };
    Ok(reader.query.account(id).await?.is_some_and(|account| account.password.is_some()))
}

fn mails(token: &FormToken, preferences: &Preferences, mistake: Mistake) -> Markup {
    let time = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let (from, to) = preferences.quiet.unzip();
    html! {
        h2 { "Mails about errors" }
        form.sign-in.stacked method="post" action=(path::me()) {
            (token.action("mails"))
            label for="mails" { "Mails" }
            @if let Some(reason) = reason("mails", mistake) { p.bad role="alert" { (reason) } }
            select #mails name="mails" {
                @for mails in Mails::ALL {
                    option value=(mails.as_str()) selected[mails == preferences.mails] { (mails.meaning()) }
                }
            }
            label for="quiet_from" { "Quiet from" }
            @if let Some(reason) = reason("quiet_from", mistake) { p.bad role="alert" { (reason) } }
            input #quiet_from type="time" name="quiet_from" value=[from.map(time)];
            label for="quiet_to" { "to" }
            input #quiet_to type="time" name="quiet_to" value=[to.map(time)];
            label for="time_zone" { "Time zone of the quiet hours" }
            @if let Some(reason) = reason("time_zone", mistake) { p.bad role="alert" { (reason) } }
            input #time_zone name="time_zone" value=(preferences.time_zone.iana_name().unwrap_or("UTC")) placeholder="Europe/Vienna" spellcheck="false";
            button type="submit" { "Change the mails" }
        }
    }
}

fn password(token: &FormToken, email: &str, mistake: Mistake) -> Markup {
    let secret = |name, label, autocomplete| Field { name, label, kind: "password", value: "", autocomplete };
    html! {
        h2 { "Password" }
        form.sign-in.stacked method="post" action=(path::me()) {
            (token.action("password"))
            input type="text" autocomplete="username" value=(email) hidden readonly;
            (field(secret(CURRENT_PASSWORD, "Current password", "current-password"), mistake))
            (field(secret("new", "New password, at least 10 characters", "new-password"), mistake))
            button type="submit" { "Change the password" }
            p.muted { "You are then signed out everywhere else." }
        }
    }
}

fn sessions(token: &FormToken, sessions: &[PersonSession], browser: &Browser) -> Markup {
    let now = Timestamp::now();
    let own = cookies::session(&browser.site, &browser.headers).map(hash_token);
    html! {
        h2 { "Browsers that are signed in" }
        div.panel { table {
            caption.hidden { "Your sessions, the newest first" }
            thead { tr { th scope="col" { "browser" } th.wide scope="col" { "address" } th scope="col" { "since" } th scope="col" { span.hidden { "actions" } } } }
            tbody {
                @for session in sessions {
                    @let since = Timestamp::from_microsecond(session.created_at).unwrap_or_default();
                    tr {
                        td.name { @if session.browser.is_empty() { "unknown" } @else { (session.browser) } }
                        td.wide { (session.address) }
                        td { time datetime=(since) title=(time(since)) { (ago(since, now)) } }
                        td.number {
                            @if own == Some(session.hash) { span.tag { "this browser" } } @else {
                                form.inline method="post" action=(path::me()) {
                                    (token.action("end-session"))
                                    input type="hidden" name="session" value=(hex(&session.hash));
                                    button type="submit" { "Sign out" }
                                }
                            }
                        }
                    }
                }
            }
        } }
        @if sessions.len() > 1 {
            form.actions method="post" action=(path::me()) {
                (token.action("end-others"))
                button type="submit" { "Sign out everywhere else" }
            }
        }
    }
}

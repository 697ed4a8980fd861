//! A team: its members, and the apps that it is responsible for.

use axum::extract::{Path, RawForm};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{OrganizationName, TeamDetail};

pub(in crate::dashboard) async fn team(
    reader: Reader,
    browser: Browser,
    Path((organization, team)): Path<(String, i64)>,
) -> Result<Response, Problem> {
    let organization = reader.organization(&organization).await?;
    show(&reader, &browser, &organization, team, None).await
}

/// Changes the members or the apps of a team, or removes the team.
pub(in crate::dashboard) async fn change_team(
    reader: Reader,
    browser: Browser,
    Path((organization, team)): Path<(String, i64)>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let organization = reader.organization(&organization).await?;
    let (people, author, id) = (&reader.people, (&reader.rights, browser.site.client), &organization.id);
    let (person, app) = (posted.value("person"), posted.value("app").trim());
    let action = posted.value("action");
    let changed = match action {
        "add-member" => people.add_to_team(author, id, (team, posted.value("email"))).await,
        "remove-member" => people.remove_from_team(author, id, (team, person)).await,
        "add-app" => people.set_team_of_app(author, id, (app, Some(team))).await,
        "remove-app" => people.set_team_of_app(author, id, (app, None)).await,
        "remove" => people.remove_team(author, id, team).await,
        _ => return Err(Posted::no_action()),
    };
    match changed {
        Ok(()) if action == "remove" => Ok(Redirect::to(&path::people(&organization.name)).into_response()),
        Ok(()) => Ok(Redirect::to(&path::team(&organization.name, team)).into_response()),
        Err(refused) => show(&reader, &browser, &organization, team, mistake(refused)?).await,
    }
}

async fn show(
    reader: &Reader,
    browser: &Browser,
    organization: &OrganizationName,
    team: i64,
    mistake: Mistake,
) -> Result<Response, Problem> {
    let team = reader.query.team(organization, team).await?.ok_or(Problem::NotFound("team"))?;
    let token = FormToken::of(browser);
    let admin = reader.rights.may_administer(&organization.id).then_some(&token);
    let target = path::team(&organization.name, team.id);
    let content = html! {
        p.back { a href=(path::people(&organization.name)) { "← People of " (organization.name) } }
        h1 { "Team " (team.name) }
        p { "The team gets the errors of its apps of which no author is known." }
        (members(organization, &target, &team, admin, mistake))
        (apps(organization, &target, &team, admin, mistake))
        @if let Some(token) = admin {
            h2 { "Remove" }
            form.actions method="post" action=(target) {
                (token.action("remove"))
                label { input type="checkbox" name="confirmed" value="yes" required; " The apps of " (team.name) " will have no team" }
                button type="submit" { "Remove the team" }
            }
        }
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = page(&Page { title: &team.name, app: None, tab: None, is_signed_in: reader.is_signed_in }, &content);
    Ok(token.respond(status, page))
}

fn members(
    organization: &OrganizationName,
    target: &str,
    team: &TeamDetail,
    admin: Option<&FormToken>,
    mistake: Mistake,
) -> Markup {
    let email =
        Field { name: "email", label: "E-mail address of a member", kind: "email", value: "", autocomplete: "off" };
    html! {
        h2 { "Members" }
        @if team.members.is_empty() { p.empty { "This team has no members yet." } }
        ul.notes {
            @for (id, name) in &team.members {
                li {
                    a href=(path::member(&organization.name, id)) { (name) }
                    @if let Some(token) = admin { (remove(target, token, ("remove-member", "person"), (id, name))) }
                }
            }
        }
        @if let Some(token) = admin {
            form.sign-in.stacked method="post" action=(target) {
                (token.action("add-member"))
                (field(email, mistake))
                button type="submit" { "Add to the team" }
            }
        }
    }
}

fn apps(
    organization: &OrganizationName,
    target: &str,
    team: &TeamDetail,
    admin: Option<&FormToken>,
    mistake: Mistake,
) -> Markup {
    let app = Field { name: "app", label: "Name of an app", kind: "text", value: "", autocomplete: "off" };
    html! {
        h2 { "Apps" }
        @if team.apps.is_empty() { p.empty { "The team is responsible for no app yet." } }
        ul.notes {
            @for app in &team.apps {
                li {
                    a href=(path::link(&format!("/{}/{}/", path::encode(&organization.name), path::encode(app)))) { (app) }
                    @if let Some(token) = admin { (remove(target, token, ("remove-app", "app"), (app, app))) }
                }
            }
        }
        @if let Some(token) = admin {
            form.sign-in.stacked method="post" action=(target) {
                (token.action("add-app"))
                (field(app, mistake))
                button type="submit" { "Make the team responsible" }
            }
        }
    }
}

/// Renders a button that removes a value from the team.
fn remove(target: &str, token: &FormToken, (action, field): (&str, &str), (value, name): (&str, &str)) -> Markup {
    html! {
        form.inline method="post" action=(target) {
            (token.action(action))
            input type="hidden" name=(field) value=(value);
            button type="submit" { "Remove" span.hidden { " " (name) } }
        }
    }
}

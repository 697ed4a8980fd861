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
    let admin = reader.admin(&browser, &organization)?;
    let (email, person, app) = (posted.value("email"), posted.value("person"), posted.value("app").trim());
    let action = posted.value("action");
    let changed = match action {
        "add-member" => admin.add_to_team(team, email).await,
        "remove-member" => admin.remove_from_team(team, person).await,
        "add-app" => admin.change_app_of_team(team, app, true).await,
        "remove-app" => admin.change_app_of_team(team, app, false).await,
        "remove" => admin.remove_team(team).await,
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
        (list(target, admin.map(|token| (token, "remove-member", "person")), team.members.iter().map(|(id, name)| {
            (&**id, &**name, path::member(&organization.name, id))
        })))
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
        (list(target, admin.map(|token| (token, "remove-app", "app")), team.apps.iter().map(|app| {
            (&**app, &**app, path::link(&format!("/{}/{}/", path::encode(&organization.name), path::encode(app))))
        })))
        @if let Some(token) = admin {
            form.sign-in.stacked method="post" action=(target) {
                (token.action("add-app"))
                (field(app, mistake))
                button type="submit" { "Make the team responsible" }
            }
        }
    }
}

/// Renders the values of a team with their names and links. An admin gets one form for all of them, with the action and the
/// name of the field that the pressed button sends.
fn list<'a>(
    target: &str,
    removal: Option<(&FormToken, &str, &str)>,
    values: impl Iterator<Item = (&'a str, &'a str, String)>,
) -> Markup {
    let rows = html! {
        ul.notes {
            @for (value, name, link) in values {
                li {
                    a href=(link) { (name) }
                    @if let Some((_, _, field)) = removal {
                        " " button type="submit" name=(field) value=(value) { "Remove" span.hidden { " " (name) } }
                    }
                }
            }
        }
    };
    html! {
        @if let Some((token, action, _)) = removal {
            form method="post" action=(target) { (token.action(action)) (rows) }
        } @else { (rows) }
    }
}

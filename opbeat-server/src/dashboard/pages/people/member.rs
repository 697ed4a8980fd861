//! A member of an organization: role, e-mail addresses, and the removal.

use axum::extract::{Path, RawForm};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};

use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake, reason};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::pages::identities::identities;
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{Member, OrganizationName};
use crate::role::Role;

pub(in crate::dashboard) async fn member(
    reader: Reader,
    browser: Browser,
    Path((organization, person)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let organization = reader.organization(&organization).await?;
    show(&reader, &browser, &organization, &person, None).await
}

/// Changes the role or the addresses of a member, or removes the member.
pub(in crate::dashboard) async fn change_member(
    reader: Reader,
    browser: Browser,
    Path((organization, person)): Path<(String, String)>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let organization = reader.organization(&organization).await?;
    let admin = reader.admin(&browser, &organization)?;
    let alias = posted.value("alias");
    let action = posted.value("action");
    let changed = match action {
        "role" => admin.change_role(&person, posted.value("role")).await,
        "add-alias" => admin.add_alias(&person, alias).await,
        "remove-alias" => admin.remove_alias(&person, alias).await,
        "unlink" => admin.unlink(&person, posted.value("issuer")).await,
        "remove" => admin.remove_member(&person).await,
        _ => return Err(Posted::no_action()),
    };
    match changed {
        Ok(()) if action == "remove" => Ok(Redirect::to(&path::people(&organization.name)).into_response()),
        Ok(()) => Ok(Redirect::to(&path::member(&organization.name, &person)).into_response()),
        Err(refused) => show(&reader, &browser, &organization, &person, mistake(refused)?).await,
    }
}

async fn show(
    reader: &Reader,
    browser: &Browser,
    organization: &OrganizationName,
    person: &str,
    mistake: Mistake,
) -> Result<Response, Problem> {
    let member = reader.query.member(organization, person).await?.ok_or(Problem::NotFound("person"))?;
    let token = FormToken::of(browser);
    let is_admin = reader.rights.may_administer(&organization.id);
    let target = path::member(&organization.name, &member.id);
    let content = html! {
        p.back { a href=(path::people(&organization.name)) { "← People of " (organization.name) } }
        h1 { (member.name) }
        p { (member.email) ", " (member.role.as_str()) ", who " (member.role.meaning()) "." }
        @if member.is_owner {
            p.notice { "An owner of this server, who may do everything in all organizations, with any role and without one." }
        }
        @if is_admin { (role(&target, &token, member.role, mistake)) }
        (aliases(&target, &member, is_admin.then_some(&token), mistake))
        @if is_admin {
            (identities(&target, Some(&token), &reader.query.identities(&member.id).await?))
            h2 { "Remove" }
            form.actions method="post" action=(target) {
                (token.action("remove"))
                label { input type="checkbox" name="confirmed" value="yes" required; " "
                    @if member.is_owner { (member.name) " will be no member, and still see everything as an owner of the server" }
                    @else { (member.name) " will see nothing of " (organization.name) }
                }
                button type="submit" { "Remove from " (organization.name) }
            }
        }
    };
    let status = if mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let page = page(&Page { title: &member.name, app: None, tab: None, is_signed_in: reader.is_signed_in }, &content);
    Ok(token.respond(status, page))
}

fn role(target: &str, token: &FormToken, current: Role, mistake: Mistake) -> Markup {
    let reason = reason("role", mistake);
    html! {
        h2 { "Role" }
        @if let Some(reason) = reason { p.bad role="alert" { (reason) } }
        form.actions method="post" action=(target) {
            (token.action("role"))
            select name="role" aria-label="Role" {
                @for role in Role::ALL {
                    option value=(role.as_str()) selected[role == current] { (role.as_str()) ": " (role.meaning()) }
                }
            }
            button type="submit" { "Change the role" }
        }
    }
}

fn aliases(target: &str, member: &Member, token: Option<&FormToken>, mistake: Mistake) -> Markup {
    let alias = Field { name: "alias", label: "Another address", kind: "email", value: "", autocomplete: "off" };
    html! {
        h2 { "Addresses in commits" }
        p.muted { "An error is assigned to the author of the code. These addresses are " (member.name) "." }
        ul.notes {
            li { (member.email) }
            @for alias in &member.aliases {
                li {
                    (alias)
                    @if let Some(token) = token {
                        form.inline method="post" action=(target) {
                            (token.action("remove-alias"))
                            input type="hidden" name="alias" value=(alias);
                            button type="submit" { "Remove" span.hidden { " " (alias) } }
                        }
                    }
                }
            }
        }
        @if let Some(token) = token {
            form.sign-in.stacked method="post" action=(target) {
                (token.action("add-alias"))
                (field(alias, mistake))
                button type="submit" { "Add the address" }
            }
        }
    }
}

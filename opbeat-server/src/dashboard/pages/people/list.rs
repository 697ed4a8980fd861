//! The members, invitations and teams of an organization.

use axum::extract::{Path, Query as Params, RawForm};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::format::{signed_count, until};
use crate::dashboard::forms::{Field, FormToken, Mistake, Posted, field, mistake, reason};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::pages::query_parameters::PageParameters;
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::people::Invited;
use crate::query::{Invitation, MemberList, OrganizationName, Team};
use crate::role::Role;

/// The number of members on one page.
const ROWS: i64 = 50;

/// The outcome of a form on this page.
#[derive(Default)]
struct Outcome<'a> {
    mistake: Mistake,
    /// The e-mail address of an invitation that was refused.
    email: &'a str,
    /// The e-mail address and the link of a new invitation, which cannot be shown again.
    invited: Option<(String, String)>,
}

pub(in crate::dashboard) async fn people(
    reader: Reader,
    browser: Browser,
    Path(organization): Path<String>,
    Params(parameters): Params<PageParameters>,
) -> Result<Response, Problem> {
    let organization = reader.organization(&organization).await?;
    let number = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    show(&reader, &browser, &organization, number, &Outcome::default()).await
}

/// Invites a person, withdraws an invitation, or creates a team.
pub(in crate::dashboard) async fn change_people(
    reader: Reader,
    browser: Browser,
    Path(organization): Path<String>,
    RawForm(body): RawForm,
) -> Result<Response, Problem> {
    let posted = Posted::parse(&browser, &body)?;
    let organization = reader.organization(&organization).await?;
    let admin = reader.admin(&browser, &organization)?;
    let email = posted.value("email");
    let changed = match posted.value("action") {
        "invite" => admin.invite(email, posted.value("role")).await.map(Some),
        "withdraw" => admin.withdraw_invitation(email).await.map(|()| None),
        "create-team" => admin.create_team(posted.value("team")).await.map(|()| None),
        _ => return Err(Posted::no_action()),
    };
    let outcome = match changed {
        Ok(None) => return Ok(Redirect::to(&path::people(&organization.name)).into_response()),
        Ok(Some(Invited { email, secret })) => {
            let link = browser.site.url(&path::invitation(&secret));
            Outcome { invited: Some((email, link)), ..Outcome::default() }
        }
        Err(refused) => Outcome { mistake: mistake(refused)?, email, ..Outcome::default() },
    };
    show(&reader, &browser, &organization, 0, &outcome).await
}

async fn show(
    reader: &Reader,
    browser: &Browser,
    organization: &OrganizationName,
    mut number: i64,
    outcome: &Outcome<'_>,
) -> Result<Response, Problem> {
    let token = FormToken::of(browser);
    let read = |number: i64| reader.query.members(organization, (ROWS, number.saturating_mul(ROWS)));
    let mut list = read(number).await?;
    if list.members.is_empty() && list.total > 0 {
        // A page beyond the last one shows the last one.
        number = (list.total - 1) / ROWS;
        list = read(number).await?;
    }
    let is_admin = reader.rights.may_administer(&organization.id);
    let (invitations, teams) = (reader.query.invitations(organization).await?, reader.query.teams(organization).await?);
    let content = html! {
        div.title {
            h1 { "People of " (organization.name) }
            @if is_admin { a href=(path::audit(&organization.name)) { "Audit log" } }
        }
        @if let Some((email, link)) = &outcome.invited { (invited(email, link)) }
        (members(organization, &list, number))
        @if is_admin { (invite(organization, &token, outcome)) }
        (open_invitations(organization, &invitations, is_admin.then_some(&token)))
        (team_list(organization, &teams))
        @if is_admin { (new_team(organization, &token, outcome.mistake)) }
    };
    let status = if outcome.mistake.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let title = format!("People of {}", organization.name);
    let page = page(&Page { title: &title, app: None, tab: None, is_signed_in: reader.is_signed_in }, &content);
    Ok(token.respond(status, page))
}

fn invited(email: &str, link: &str) -> Markup {
    html! {
        section.ended role="status" {
            p { "Send this link to " strong { (email) } ". It is valid for 7 days, and is shown once." }
            pre.copied tabindex="0" aria-label="Link of the invitation" { code { (link) } }
        }
    }
}

fn members(organization: &OrganizationName, list: &MemberList, number: i64) -> Markup {
    let first = number * ROWS;
    let shown = (first + ROWS).min(list.total);
    let link = |number: i64| format!("{}?page={number}", path::people(&organization.name));
    html! {
        @if list.members.is_empty() {
            p.empty { "This organization has no members yet. People with the sign-in link or a token see it." }
        } @else {
            div.panel { table {
                caption.hidden { "Members, by name" }
                thead { tr { th scope="col" { "name" } th scope="col" { "e-mail address" } th scope="col" { "role" } } }
                tbody { @for member in &list.members {
                    tr {
                        td.name { a href=(path::member(&organization.name, &member.id)) { (member.name) } }
                        td.name { (member.email) @for alias in &member.aliases { small { (alias) } } }
                        td { (member.role.as_str()) @if member.is_owner { " " span.tag title="an owner of this server" { "owner" } } }
                    }
                } }
            } }
        }
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (signed_count(first + 1)) "–" (signed_count(shown)) " of " (signed_count(list.total)) " members" }
                @if number > 0 { a href=(link(number - 1)) { "previous" } }
                @if shown < list.total { a href=(link(number + 1)) { "next" } }
            }
        }
    }
}

fn invite(organization: &OrganizationName, token: &FormToken, outcome: &Outcome<'_>) -> Markup {
    let Outcome { mistake, email, .. } = *outcome;
    let email = Field { name: "email", label: "E-mail address", kind: "email", value: email, autocomplete: "off" };
    html! {
        h2 { "Invite a person" }
        form.sign-in.stacked method="post" action=(path::people(&organization.name)) {
            (token.action("invite"))
            (field(email, mistake))
            label for="role" { "Role" }
            @if let Some(reason) = reason("role", mistake) { p.bad role="alert" { (reason) } }
            select #role name="role" {
                @for role in Role::ALL {
                    option value=(role.as_str()) selected[role == Role::Member] { (role.as_str()) ": " (role.meaning()) }
                }
            }
            button.primary type="submit" { "Make an invitation" }
        }
    }
}

fn open_invitations(organization: &OrganizationName, invitations: &[Invitation], token: Option<&FormToken>) -> Markup {
    let rows = invitation_rows(invitations, token.is_some());
    html! {
        @if !invitations.is_empty() {
            h2 { "Invitations" }
            // One form for all rows: the button that is pressed sends the address.
            @if let Some(token) = token {
                form method="post" action=(path::people(&organization.name)) { (token.action("withdraw")) (rows) }
            } @else { (rows) }
        }
    }
}

fn invitation_rows(invitations: &[Invitation], may_withdraw: bool) -> Markup {
    let now = Timestamp::now();
    html! {
        div.panel { table {
            caption.hidden { "Invitations that were not accepted, by address" }
            thead { tr {
                th scope="col" { "e-mail address, role" } th.wide scope="col" { "by" }
                th scope="col" { "expires" }
                @if may_withdraw { th scope="col" { span.hidden { "actions" } } }
            } }
            tbody { @for invitation in invitations {
                @let expires = Timestamp::from_microsecond(invitation.expires_at).unwrap_or_default();
                tr {
                    td.name { (invitation.email) small { (invitation.role.as_str()) } }
                    td.name.wide { (invitation.invited_by) }
                    td { @if expires > now { (until(expires, now)) } @else { "expired" } }
                    @if may_withdraw {
                        td.number {
                            button type="submit" name="email" value=(invitation.email) {
                                "Withdraw" span.hidden { " " (invitation.email) }
                            }
                        }
                    }
                }
            } }
        } }
    }
}

fn team_list(organization: &OrganizationName, teams: &[Team]) -> Markup {
    html! {
        h2 { "Teams" }
        @if teams.is_empty() {
            p.empty { "No teams. A team is responsible for apps: it gets the errors of which no author is known." }
        } @else {
            div.panel { table {
                caption.hidden { "Teams, by name" }
                thead { tr { th scope="col" { "team" } th.number scope="col" { "members" } th.number scope="col" { "apps" } } }
                tbody { @for team in teams {
                    tr {
                        td.name { a href=(path::team(&organization.name, team.id)) { (team.name) } }
                        td.number { (signed_count(team.members)) }
                        td.number { (signed_count(team.apps)) }
                    }
                } }
            } }
        }
    }
}

fn new_team(organization: &OrganizationName, token: &FormToken, mistake: Mistake) -> Markup {
    let name = Field { name: "team", label: "Name of a new team", kind: "text", value: "", autocomplete: "off" };
    html! {
        form.sign-in.stacked method="post" action=(path::people(&organization.name)) {
            (token.action("create-team"))
            (field(name, mistake))
            button type="submit" { "Create the team" }
        }
    }
}

//! The audit log of an organization, for its admins.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};
use serde::Deserialize;

use crate::dashboard::access::Reader;
use crate::dashboard::format::{ago, time};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AuditRow, OrganizationName, Scope};

/// The number of entries on one page.
const ROWS: i64 = 50;

#[derive(Debug, Deserialize)]
pub(in crate::dashboard) struct Cursor {
    /// The number of the last entry of the page before.
    before: Option<i64>,
}

pub(in crate::dashboard) async fn audit_log(
    reader: Reader,
    Path(organization): Path<String>,
    Params(cursor): Params<Cursor>,
) -> Result<Markup, Problem> {
    let organization = reader.organization(&organization).await?;
    if !reader.rights.may_administer(&organization.id) {
        return Err(Problem::NoAdmin);
    }
    // The owner of the server also sees the entries about the whole server.
    let with_server = reader.rights.scope == Scope::Everything;
    let part = (cursor.before.unwrap_or(i64::MAX), ROWS + 1);
    let mut entries = reader.query.audit_log(&organization, with_server, part).await?;
    let has_older = entries.len() as i64 > ROWS;
    entries.truncate(ROWS as usize);
    let older = entries.last().filter(|_| has_older).map(|last| last.id);
    let title = format!("Audit log of {}", organization.name);
    let content = content(&organization, &entries, older);
    Ok(page(&Page { title: &title, app: None, tab: None, is_signed_in: reader.is_signed_in }, &content))
}

fn content(organization: &OrganizationName, entries: &[AuditRow], older: Option<i64>) -> Markup {
    let now = Timestamp::now();
    html! {
        p.back { a href=(path::people(&organization.name)) { "← People of " (organization.name) } }
        h1 { "Audit log of " (organization.name) }
        p.muted { "Entries are kept for 400 days." }
        @if entries.is_empty() { p.empty { "There are no entries here." } }
        @else {
            div.panel { table {
                caption.hidden { "Changes of people, roles and teams, the newest first" }
                thead { tr { th scope="col" { "when" } th scope="col" { "change" } th scope="col" { "from" } } }
                tbody { @for entry in entries {
                    @let at = Timestamp::from_microsecond(entry.happened_at).unwrap_or_default();
                    tr {
                        td.value { time datetime=(at) title=(time(at)) { (ago(at, now)) } }
                        td.name { strong { (entry.actor) } " " (entry.action) }
                        td { @if entry.address.is_empty() { "the server" } @else { (entry.address) } }
                    }
                } }
            } }
        }
        @if let Some(older) = older {
            nav.pages aria-label="Pages" { a href={ (path::audit(&organization.name)) "?before=" (older) } { "older" } }
        }
    }
}

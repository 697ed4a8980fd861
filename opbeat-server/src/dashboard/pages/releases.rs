//! The list of an app's releases, and the page of one of them.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};

use super::errors::headline;
use super::findings::Subject;
use super::query_parameters::PageParameters;
use super::{commits, empty, findings};
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{ago, count, signed_count, time};
use crate::dashboard::layout::{Page, Tab, figure, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{
    AppIdentity, ErrorPart, ErrorSummary, FindingKind, FindingList, FindingsOf, Release, ReleaseErrors, ReleaseList,
};
use crate::text::shortened;

/// The number of rows on one page.
const ROWS: i64 = 50;

/// The largest number of machines that a page lists.
const MACHINES: usize = 100;

/// The largest number of findings on a page.
const FINDINGS: usize = 50;

/// The longest revision and branch in a list, in characters.
const MAX_NAME: usize = 60;

pub(in crate::dashboard) async fn releases(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let mut number = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    let read = |page: i64| reader.query.releases(&app, (ROWS, page.saturating_mul(ROWS)));
    let mut list = read(number).await?;
    if list.releases.is_empty() && list.total > 0 {
        // A page beyond the last one shows the last one.
        number = (list.total - 1) / ROWS;
        list = read(number).await?;
    }
    let content = html! {
        div.title { h1 { "Releases" } }
        @if list.total == 0 { (empty::no_release(&app)) } @else { (table(&app, &list)) (pages(&app, &list, number)) }
    };
    let title = format!("{} releases", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Releases), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn table(app: &AppIdentity, list: &ReleaseList) -> Markup {
    let now = Timestamp::now();
    html! {
        div.panel { table.ranking {
            caption.hidden { "Releases" }
            thead { tr {
                th scope="col" { "release" } th.number scope="col" { "new errors" } th.number scope="col" { "machines" }
                th.number scope="col" { "completed" }
            } }
            tbody { @for release in &list.releases { (row(app, release, now)) } }
        } }
    }
}

fn row(app: &AppIdentity, release: &Release, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name {
                a.headline href=(path::release(app, release.number)) { strong { "R#" (release.number) } " " code { (shortened(&release.rev, MAX_NAME)) } }
                @if let Some(changes) = release.changes.as_ref().and_then(|changes| changes.sentence()) { div.message { (changes) } }
                div.about.muted { span { (shortened(&release.branch, MAX_NAME)) @if let Some(state) = state(release) { " " (state) } } }
            }
            td.number data-label="new errors" { span.bad[release.new_errors > 0] { (count(release.new_errors)) } }
            td.number data-label="machines" { @if release.machine_count > 0 { (signed_count(release.machine_count)) } @else { "–" } }
            td.number data-label="completed" title=(time(release.last_completed_at)) { (ago(release.last_completed_at, now)) }
        }
    }
}

/// Returns the state of a release that is not completed as a whole.
fn state(release: &Release) -> Option<&'static str> {
    (release.status != "completed").then_some("completed on machines only")
}

fn pages(app: &AppIdentity, list: &ReleaseList, current: i64) -> Markup {
    let end = (current * ROWS + ROWS).min(list.total);
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (signed_count(end)) " of " (signed_count(list.total)) " releases" }
                @if current > 0 { a href={ (path::releases(app)) "?page=" (current - 1) } { "newer" } }
                @if end < list.total { a href={ (path::releases(app)) "?page=" (current + 1) } { "older" } }
            }
        }
    }
}

pub(in crate::dashboard) async fn release(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let release = reader.query.release_of_number(&app, number).await?.ok_or(Problem::NotFound("release"))?;
    let now = Timestamp::now();
    let errors = reader.query.release_errors(&app, &release, now).await?;
    let findings = reader.query.findings(&app, FindingsOf::Release(number)).await?;
    let content = html! {
        p.back { a href=(path::releases(&app)) { "← Releases" } }
        h1 { "R#" (number) " " code { (release.rev) } }
        p.lead { (verdict(&errors)) " " (speed(&findings, &release, now)) }
        (figures(&release, now))
        @if !findings.findings.is_empty() { section { h2 { "Slower transactions" } (findings::list(&app, &findings.findings, FINDINGS, Subject::Release)) } }
        (part(&app, "New errors", "They were seen first in this release.", &errors.new, now))
        (part(&app, "Regressed errors", "They happened again in this release, after they were resolved.", &errors.regressed, now))
        (part(&app, "Gone errors", "They are open, and were seen last in the release before.", &errors.gone, now))
        (commits::section(&release, now))
        (machines(&release, now))
    };
    let title = format!("R#{number} of {}", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Releases), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

/// Says in a sentence what the release did to errors.
fn verdict(errors: &ReleaseErrors) -> String {
    let number = |part: &ErrorPart| signed_count(part.total);
    let noun = |part: &ErrorPart| if part.total == 1 { "error" } else { "errors" };
    match (errors.new.total, errors.regressed.total) {
        (0, 0) => "No error began or came back with this release.".to_owned(),
        (_, 0) => format!("{} {} began with this release.", number(&errors.new), noun(&errors.new)),
        (0, _) => format!("{} {} came back with this release.", number(&errors.regressed), noun(&errors.regressed)),
        _ => format!(
            "{} {} began with this release, and {} came back.",
            number(&errors.new),
            noun(&errors.new),
            number(&errors.regressed)
        ),
    }
}

/// Says in a sentence what is known about the durations since the release.
fn speed(findings: &FindingList, release: &Release, now: Timestamp) -> String {
    let slower = findings.findings.iter().filter(|finding| finding.kind == FindingKind::Slower).count();
    let minutes = now.duration_since(release.last_completed_at).as_mins();
    match slower {
        0 if minutes < 36 => "Transactions are compared 30 minutes after it was completed.".to_owned(),
        0 => "No transaction was seen to be slower.".to_owned(),
        1 => "One transaction became slower.".to_owned(),
        slower => format!("{slower} transactions became slower."),
    }
}

fn figures(release: &Release, now: Timestamp) -> Markup {
    html! {
        dl.figures {
            (figure("completed", &ago(release.last_completed_at, now), &time(release.last_completed_at)))
            @if release.first_completed_at != release.last_completed_at {
                (figure("first completed", &ago(release.first_completed_at, now), &time(release.first_completed_at)))
            }
            @if release.machine_count > 0 { (figure("machines", &signed_count(release.machine_count), state(release).unwrap_or_default())) }
            @if let Some(seconds) = release.changes.as_ref().and_then(|changes| changes.time_to_release) {
                (figure("time to release", &commits::age(seconds), "since its oldest commit"))
            }
            @if !release.branch.is_empty() { (figure("branch", &shortened(&release.branch, MAX_NAME), "")) }
        }
    }
}

fn part(app: &AppIdentity, title: &str, meaning: &str, part: &ErrorPart, now: Timestamp) -> Markup {
    html! {
        @if part.total > 0 {
            section {
                h2 { (title) " " small.muted { (signed_count(part.total)) } }
                p.muted { (meaning) }
                div.panel { table.errors {
                    caption.hidden { (title) }
                    thead { tr { th scope="col" { "error" } th.number scope="col" { "times" } th.trend scope="col" { "last 24 h" } th.number scope="col" { "last seen" } } }
                    tbody { @for error in &part.errors { (error_row(app, error, now)) } }
                } }
                @if part.total > part.errors.len() as i64 { p.muted { "The most frequent " (part.errors.len()) " are shown." } }
            }
        }
    }
}

fn error_row(app: &AppIdentity, error: &ErrorSummary, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name {
                a.headline href=(path::error(app, error.number)) { strong { (headline(error)) } }
                @if !error.type_name.is_empty() && !error.message.is_empty() { div.message { (error.message) } }
                div.about.muted { span { "E#" (error.number) " · " (error.status.as_str()) } }
            }
            td.number { (signed_count(error.times_seen)) }
            td.trend { (chart::trend(&error.trend, "occurrences in each of the last 24 hours")) }
            td.number title=(time(error.last_seen)) { (ago(error.last_seen, now)) }
        }
    }
}

fn machines(release: &Release, now: Timestamp) -> Markup {
    let hidden = release.machines.len().saturating_sub(MACHINES);
    html! {
        @if !release.machines.is_empty() {
            section {
                h2 { "Machines" }
                div.panel { table.facts-table { tbody {
                    @for machine in release.machines.iter().take(MACHINES) {
                        tr { th scope="row" { (machine.hostname) } td title=(time(machine.completed_at)) { (ago(machine.completed_at, now)) } }
                    }
                } } }
                @if hidden > 0 { p.muted { "and " (hidden) " more" } }
            }
        }
    }
}

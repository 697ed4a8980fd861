//! The list of an app's scheduled jobs.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};

use super::empty;
use super::query_parameters::PageParameters;
use crate::dashboard::access::Reader;
use crate::dashboard::format::{ago, duration, outcome, signed_count, time, until};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, CronJob, CronList, CronState};

/// The number of rows on one page.
const ROWS: i64 = 50;

pub(in crate::dashboard) async fn crons(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let now = Timestamp::now();
    let number = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    let list = reader.query.crons(&app, (ROWS, number.saturating_mul(ROWS)), now).await?;
    let content = html! {
        div.title { h1 { "Cron jobs" } }
        @if list.total == 0 { (empty::no_cron()) } @else { (table(&list, now)) (pages(&app, &list, number)) }
    };
    let title = format!("{} cron jobs", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Crons), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn table(list: &CronList, now: Timestamp) -> Markup {
    html! {
        div.panel { table.ranking {
            caption.hidden { "Cron jobs" }
            thead { tr { th { "job" } th { "state" } th.number { "last run" } th.number { "duration" } th.number { "next run" } } }
            tbody { @for job in &list.crons { (row(job, now)) } }
        } }
    }
}

fn row(job: &CronJob, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name { strong { (job.monitor) } div.about.muted { code { (job.schedule) } " · " (job.time_zone) } }
            td data-label="state" { (state(job)) }
            td.number data-label="last run" title=(time(job.last_started_at)) { (ago(job.last_started_at, now)) }
            td.number data-label="duration" { @match job.last_duration_ms { Some(ms) => (duration(ms)), None => "–" } }
            td.number data-label="next run" {
                @match job.next_expected_at {
                    Some(next) => span title=(time(next)) { @if next > now { (until(next, now)) } @else { "expected " (ago(next, now)) } },
                    None => span.muted { "unknown schedule" },
                }
            }
        }
    }
}

/// Renders the state in words and colour, with the result of the last run if the state does not imply it.
fn state(job: &CronJob) -> Markup {
    let (class, word) = match job.state {
        CronState::Ok => ("ok", "ok"),
        CronState::Running => ("", "running"),
        CronState::Failed => ("failed", "failed"),
        CronState::Late => ("failed", "late"),
    };
    let result = job.last_result.as_deref().filter(|result| *result != word).map(outcome);
    html! { span class={ "result " (class) } { (word) } @if let Some(result) = result { small { "last run: " (result) } } }
}

fn pages(app: &AppIdentity, list: &CronList, current: i64) -> Markup {
    let shown = current.saturating_mul(ROWS).saturating_add(ROWS).min(list.total);
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (signed_count(shown)) " of " (signed_count(list.total)) " jobs" }
                @if current > 0 { a href={ (path::crons(app)) "?page=" (current - 1) } { "previous" } }
                @if shown < list.total { a href={ (path::crons(app)) "?page=" (current + 1) } { "next" } }
            }
        }
    }
}

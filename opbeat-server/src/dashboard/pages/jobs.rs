//! The list of an app's jobs: background transactions and schedules.

use axum::extract::{Path, Query as Params};
use axum::response::Redirect;
use jiff::Timestamp;
use maud::{Markup, html};

use super::empty;
use super::query_parameters::PageParameters;
use super::sorting::Sorting;
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{ago, count, duration, outcome, time, until};
use crate::dashboard::layout::{Page, Tab, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, CronJob, Job, JobList, JobOrder, JobState, Range};

/// The number of rows on one page.
const ROWS: usize = 50;

/// Leads from the address of the page about scheduled jobs to the one about all jobs.
pub(in crate::dashboard) async fn crons(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
) -> Result<Redirect, Problem> {
    let app = reader.app(&organization, &app).await?;
    Ok(Redirect::permanent(&path::part(&path::jobs(&app))))
}

pub(in crate::dashboard) async fn jobs(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let now = Timestamp::now();
    let range = parameters.range(&reader, &app).await?;
    let order = parameters.order.as_deref().and_then(JobOrder::parse).unwrap_or_default();
    let mut current = parameters.page.unwrap_or(0);
    let part = |page: usize| (ROWS, page.saturating_mul(ROWS));
    let mut list = reader.query.jobs(&app, &range, order, part(current), now).await?;
    if list.jobs.is_empty() && list.total > 0 {
        // A page beyond the last one shows the last one.
        current = (list.total - 1) / ROWS;
        list = reader.query.jobs(&app, &range, order, part(current), now).await?;
    }
    let base = path::jobs(&app);
    let link = format!("{base}{}", path::range(&range));
    let name = JobOrder::NAMES.into_iter().find(|(_, known)| *known == order).map_or("state", |(name, _)| name);
    let content = html! {
        div.title { h1 { "Jobs" } (ranges(&base, &range)) }
        @if list.total == 0 {
            (empty::no_job())
        } @else {
            (sentence(&list))
            (table(&app, &list, &range, &Sorting { link: &link, order: name }, now))
            (pages(&list, &link, name, current))
        }
    };
    let title = format!("{} jobs", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Jobs), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

/// Says whether every scheduled job runs, in time.
fn sentence(list: &JobList) -> Markup {
    let jobs = |number: usize| if number == 1 { " job" } else { " jobs" };
    html! {
        p.lead {
            (count(list.total as u64)) (jobs(list.total)) ": "
            @if list.late == 0 && list.failed == 0 {
                "none is overdue."
            } @else {
                strong { (count(list.late as u64)) " overdue" }
                @if list.failed > 0 { ", the last run of " (count(list.failed as u64)) " failed" }
                "."
            }
        }
    }
}

fn table(app: &AppIdentity, list: &JobList, range: &Range, sorting: &Sorting<'_>, now: Timestamp) -> Markup {
    let has_waits = list.jobs.iter().any(|job| job.waited_ms.is_some());
    html! {
        div.panel { table.ranking.sorted {
            caption.hidden { "Jobs" }
            thead { tr {
                (sorting.header("job", "name", ""))
                (sorting.header("state", "state", ""))
                (sorting.header("last run", "last", "number"))
                th.number scope="col" { "next run" }
                (sorting.header("runs", "runs", "number"))
                th.trend scope="col" { "runs over time" }
                (sorting.header("average", "average", "number"))
                th.number.wide scope="col" { "95th" }
                @if has_waits { th.number.wide scope="col" { "waited" } }
                (sorting.header("failed", "failed", "number"))
            } }
            tbody { @for job in &list.jobs { (row(app, job, range, has_waits, now)) } }
        } }
    }
}

fn row(app: &AppIdentity, job: &Job, range: &Range, has_waits: bool, now: Timestamp) -> Markup {
    let ms = |ms: Option<f64>| ms.map_or_else(|| "–".to_owned(), duration);
    let trend: Vec<f64> = job.trend.iter().map(|runs| *runs as f64).collect();
    html! {
        tr {
            td.name {
                @match job.transaction_id {
                    Some(id) => a href={ (path::transaction(app, id)) (path::range(range)) } { (job.name) },
                    None => strong { (job.name) },
                }
                @if !job.kind.is_empty() { " " span.tag { (job.kind) } }
                @if let Some(cron) = &job.cron { div.about.muted { code { (cron.schedule) } " · " (cron.time_zone) } }
            }
            td data-label="state" { (state(job)) }
            td.number data-label="last run" title=(time(job.last_run_at)) { (ago(job.last_run_at, now)) (last(job.cron.as_ref())) }
            td.number data-label="next run" { (next(job.cron.as_ref(), now)) }
            td.number data-label="runs" { @if job.runs == 0 { "–" } @else { (count(job.runs)) } }
            td.trend { (chart::spark(&trend, "runs over the range")) }
            td.number data-label="average" { (ms(job.average_ms)) }
            td.number.wide { (ms(job.p95_ms)) }
            @if has_waits { td.number.wide { (ms(job.waited_ms)) } }
            td.number.bad[job.failed > 0] data-label="failed" { @if job.runs == 0 { "–" } @else { (count(job.failed)) } }
        }
    }
}

/// Shows the duration of the last run of a scheduled job.
fn last(cron: Option<&CronJob>) -> Markup {
    html! { @if let Some(ms) = cron.and_then(|cron| cron.last_duration_ms) { small { "took " (duration(ms)) } } }
}

/// Shows when a scheduled job runs next, or since when it is overdue.
fn next(cron: Option<&CronJob>, now: Timestamp) -> Markup {
    html! {
        @match cron.map(|cron| cron.next_expected_at) {
            Some(Some(next)) => span title=(time(next)) { @if next > now { (until(next, now)) } @else { "expected " (ago(next, now)) } },
            Some(None) => span.muted { "unknown schedule" },
            None => "–",
        }
    }
}

/// Renders the state in words and colour, with the result of the last run if the state does not imply it.
fn state(job: &Job) -> Markup {
    let (class, word) = match job.state {
        JobState::Ok => ("ok", "ok"),
        JobState::Running => ("", "running"),
        JobState::Failed => ("failed", "failed"),
        JobState::Late => ("failed", "overdue"),
        JobState::Unknown => ("", "–"),
    };
    let result = job.last_result.as_deref().filter(|result| *result != word).map(outcome);
    html! { span class={ "result " (class) } { (word) } @if let Some(result) = result { small { "last run: " (result) } } }
}

fn pages(list: &JobList, link: &str, order: &str, current: usize) -> Markup {
    let shown = (current * ROWS + list.jobs.len()).min(list.total);
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (count(shown as u64)) " of " (count(list.total as u64)) " jobs" }
                @if current > 0 { a href={ (link) "&order=" (order) "&page=" (current - 1) } { "previous" } }
                @if shown < list.total { a href={ (link) "&order=" (order) "&page=" (current + 1) } { "next" } }
            }
        }
    }
}

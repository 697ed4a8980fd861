//! The list of an app's transactions, ranked by their share of the time of all.

use axum::extract::{Path, Query as Params};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::{SignedDuration, Timestamp};
use maud::{Markup, html};

use super::findings::Subject;
use super::query_parameters::PageParameters;
use super::{findings, setup};
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::chart;
use crate::dashboard::format::{count, duration, per_minute, share, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{
    AppIdentity, DroppedData, FindingsOf, Range, Series, SeriesPoint, TransactionList, TransactionSummary,
};

/// The number of rows on one page.
const ROWS: usize = 100;

/// The largest number of findings of the last week above the charts.
const FINDINGS: usize = 3;

pub(in crate::dashboard) async fn transactions(
    reader: Reader,
    browser: Browser,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Response, Problem> {
    let app = reader.app(&organization, &app).await?;
    let head = Page {
        title: &format!("{} performance", app.name),
        app: Some(&app),
        tab: Some(Tab::Performance),
        is_signed_in: reader.is_signed_in,
    };
    if !reader.query.has_reported(&app).await? {
        return setup::waiting(&reader, &browser, &head, &path::app(&app), &parameters).await;
    }
    if parameters.setup.is_some() {
        // The page waited for data, which has arrived.
        return Ok(Redirect::to(&path::app(&app)).into_response());
    }
    let range = parameters.range(&reader, &app).await?;
    let kind = parameters.kind.as_deref().filter(|kind| !kind.is_empty());
    let search = parameters.search.as_deref().filter(|search| !search.is_empty());
    let mut current = parameters.page.unwrap_or(0);
    let list = |page: usize| reader.query.transactions(&app, &range, kind, search, (ROWS, page.saturating_mul(ROWS)));
    let mut shown = list(current).await?;
    if shown.transactions.is_empty() && shown.total > 0 {
        // A page beyond the last one shows the last one.
        current = (shown.total - 1) / ROWS;
        shown = list(current).await?;
    }
    let series = reader.query.series(&app, None, &range).await?;
    let since = Timestamp::now() - SignedDuration::from_hours(7 * 24);
    let findings = reader.query.findings(&app, FindingsOf::Since(since.as_microsecond())).await?.newest_of_each();
    let content = html! {
        div.title { h1 { "Performance" } (ranges(&path::app(&app), &range)) }
        (refused(&reader, &app, &range).await?)
        (findings::list(&app, &findings, FINDINGS, Subject::App))
        (figures(&series))
        (drops(&shown.drops))
        @if shown.has_other_names { (other_names()) }
        div.charts { (chart::durations(&series, &app)) (chart::results(&series, &app)) }
        (ranking(&app, &shown, &range, &parameters, current))
    };
    Ok(page(&head, &content).into_response())
}

/// Shows the sums of the whole app.
fn figures(series: &Series) -> Markup {
    let sum = |number: fn(&SeriesPoint) -> u64| series.points.iter().map(number).fold(0_u64, u64::saturating_add);
    let (requests, failed) = (sum(|point| point.count), sum(|point| point.failed));
    let time: f64 = series.points.iter().map(|point| point.average_ms.unwrap_or(0.0) * point.count as f64).sum();
    let average = if requests > 0 { time / requests as f64 } else { 0.0 };
    html! {
        dl.figures {
            (figure("average", &duration(average), ""))
            (figure("throughput", &per_minute(series.per_minute), ""))
            (figure("transactions", &count(requests), ""))
            (figure("failed", &share(failed as f64 / requests.max(1) as f64), &format!("{} of {}", count(failed), count(requests))))
        }
    }
}

/// Points to the bodies that intake refused, whose data the page does not show.
async fn refused(reader: &Reader, app: &AppIdentity, range: &Range) -> Result<Markup, Problem> {
    let bodies = reader.query.refused(app, range).await?;
    Ok(html! {
        @if bodies > 0 {
            p.notice {
                (count(bodies)) (if bodies == 1 { " body was" } else { " bodies were" }) " refused in this time range: see "
                a href={ (path::intake(app)) (path::range(range)) } { "Intake" }
            }
        }
    })
}

/// Shows the data that the figures do not include.
fn drops(drops: &[DroppedData]) -> Markup {
    html! {
        @if !drops.is_empty() {
            section.notice {
                p { strong { "Data was dropped in this time range:" } }
                ul { @for dropped in drops { li { (count(dropped.count)) " " (noun(dropped)) ": " (dropped.explanation) } } }
            }
        }
    }
}

/// Explains why some transactions are counted without their names.
fn other_names() -> Markup {
    html! {
        section.notice {
            p {
                strong { "This app has too many transaction names." }
                " The first 10,000 are listed, and all later ones are counted as " em { "(other names)" } ". "
                "Use the patterns of routes as names, such as " code { "GET /books/{id}" } ", instead of URLs."
            }
        }
    }
}

fn noun(dropped: &DroppedData) -> &str {
    match (dropped.reason.as_str(), dropped.count) {
        ("rejected", 1) => "rejected delivery",
        ("rejected", _) => "rejected deliveries",
        ("samples", 1) => "sampled transaction",
        ("samples", _) => "sampled transactions",
        (reason, 1) => reason.trim_end_matches('s'),
        (reason, _) => reason,
    }
}

fn ranking(
    app: &AppIdentity,
    list: &TransactionList,
    range: &Range,
    parameters: &PageParameters,
    current: usize,
) -> Markup {
    html! {
        div.title {
            h2 { "Transactions by impact" }
            (filter(app, list, range, parameters))
        }
        @if list.transactions.is_empty() {
            p.empty { "No transaction ran in this time range, or none matches the filter. Choose a longer range above, or change the filter." }
        } @else {
            div.panel {
                table.ranking {
                    caption.hidden { "Transactions, by their share of the time of all, the greatest first" }
                    thead { tr {
                        th { "transaction" } th.impact { "impact" }
                        th.number { "average" } th.number.wide { "median" } th.number { "95th" } th.number.wide { "99th" }
                        th.number.wide { "throughput" } th.number { "failed" }
                    } }
                    tbody { @for transaction in &list.transactions { (row(app, transaction, range)) } }
                }
            }
            (pages(app, list, range, parameters, current))
        }
    }
}

fn row(app: &AppIdentity, summary: &TransactionSummary, range: &Range) -> Markup {
    let failed = summary.failed as f64 / summary.count.max(1) as f64;
    let name = transaction_name(&summary.transaction.name);
    html! {
        tr {
            td.name {
                a href={ (path::transaction(app, summary.transaction.id)) (path::range(range)) } { (name) }
                @if !summary.transaction.kind.is_empty() { " " span.tag { (summary.transaction.kind) } }
            }
            td.impact data-label="impact" {
                svg.meter role="img" aria-label={ (share(summary.impact)) " of all time" } {
                    rect.bar.impact x="0" y="0" width={ (format!("{:.2}", summary.impact * 100.0)) "%" } height="100%" rx="2" {}
                }
                span { (share(summary.impact)) }
            }
            td.number data-label="average" { (duration(summary.average_ms)) }
            td.number.wide { (duration(summary.p50_ms)) }
            td.number data-label="95th" {
                (duration(summary.p95_ms))
                @if let Some(head) = summary.shorter_head_p95() {
                    small title="The response heads (status and headers) of 95 % of the requests were ready within this time" { "head " span.value { (duration(head)) } }
                }
            }
            td.number.wide { (duration(summary.p99_ms)) }
            td.number.wide { (per_minute(summary.per_minute)) }
            td.number.bad[failed >= 0.05] data-label="failed" { (share(failed)) }
        }
    }
}

fn filter(app: &AppIdentity, list: &TransactionList, range: &Range, parameters: &PageParameters) -> Markup {
    html! {
        form.filter method="get" action=(path::app(app)) {
            @if let Some(name) = range.name { input type="hidden" name="range" value=(name); }
            label { span.hidden { "Part of the name" } input type="search" name="search" placeholder="Part of the name" value=[parameters.search.as_deref()]; }
            @if list.kinds.len() > 1 {
                label {
                    span.hidden { "Kind" }
                    select name="kind" {
                        option value="" { "all kinds" }
                        @for kind in list.kinds.iter().filter(|kind| !kind.is_empty()) {
                            option value=(kind) selected[parameters.kind.as_deref() == Some(kind)] { (kind) }
                        }
                    }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn pages(
    app: &AppIdentity,
    list: &TransactionList,
    range: &Range,
    parameters: &PageParameters,
    current: usize,
) -> Markup {
    let shown = (current * ROWS + list.transactions.len()).min(list.total);
    let link = |page: usize| {
        let search = path::encode(parameters.search.as_deref().unwrap_or_default());
        let kind = path::encode(parameters.kind.as_deref().unwrap_or_default());
        format!("{}{}&search={search}&kind={kind}&page={page}", path::app(app), path::range(range))
    };
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (count(shown as u64)) " of " (count(list.total as u64)) " transactions" }
                @if current > 0 { a href=(link(current - 1)) { "previous" } }
                @if shown < list.total { a href=(link(current + 1)) { "next" } }
            }
        }
    }
}

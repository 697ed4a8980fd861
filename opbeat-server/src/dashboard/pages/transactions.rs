//! An app's transactions, ranked by what they cost its users.

use axum::extract::{Path, Query as Params};
use maud::{Markup, html};

use super::{Wishes, empty, find_app, range};
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{count, duration, per_minute, share, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Loss, Range, Series, TransactionList, TransactionSummary};

/// Rows of one page.
const ROWS: usize = 100;

pub(in crate::dashboard) async fn transactions(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    wishes: Params<Wishes>,
) -> Result<Markup, Problem> {
    let app = find_app(&reader, &organization, &app).await?;
    let head = Page {
        title: &format!("{} performance", app.name),
        app: Some(&app),
        tab: Some(Tab::Performance),
        is_signed_in: reader.is_signed_in,
    };
    if !reader.query.has_reported(&app).await? {
        return Ok(page(&head, &empty::no_request(&app)));
    }
    let range = range(&reader, &app, &wishes).await?;
    let kind = wishes.kind.as_deref().filter(|kind| !kind.is_empty());
    let search = wishes.search.as_deref().filter(|search| !search.is_empty());
    let offset = wishes.page.unwrap_or(0).saturating_mul(ROWS);
    let list = reader.query.transactions(&app, &range, kind, search, (ROWS, offset)).await?;
    let series = reader.query.series(&app, None, &range).await?;
    let content = html! {
        div.title { h1 { "Performance" } (ranges(&path::app(&app), &range)) }
        (figures(&series, &range))
        (losses(&list.losses))
        div.charts { (chart::durations(&series)) (chart::results(&series)) }
        (ranking(&app, &list, &range, &wishes))
    };
    Ok(page(&head, &content))
}

/// The whole app in five numbers.
fn figures(series: &Series, range: &Range) -> Markup {
    let requests: u64 = series.points.iter().map(|point| point.count).sum();
    let failed: u64 = series.points.iter().map(|point| point.failed).sum();
    let time: f64 = series.points.iter().map(|point| point.average_ms.unwrap_or(0.0) * point.count as f64).sum();
    let average = if requests > 0 { time / requests as f64 } else { 0.0 };
    html! {
        dl.figures {
            (figure("average", &duration(average), ""))
            (figure("throughput", &per_minute(requests as f64 / range.minutes()), ""))
            (figure("transactions", &count(requests), ""))
            (figure("failed", &share(failed as f64 / requests.max(1) as f64), &format!("{} of {}", count(failed), count(requests))))
        }
    }
}

/// What the figures lack, told where they are.
fn losses(losses: &[Loss]) -> Markup {
    html! {
        @if !losses.is_empty() {
            section.notice {
                p { strong { "The agents had to leave something out in this time:" } }
                ul { @for loss in losses { li { (count(loss.count)) " " (noun(loss)) ": " (loss.reason) } } }
            }
        }
    }
}

fn noun(loss: &Loss) -> &str {
    match (loss.what.as_str(), loss.count) {
        ("refused", 1) => "delivery",
        ("refused", _) => "deliveries",
        ("samples", 1) => "sampled transaction",
        ("samples", _) => "sampled transactions",
        (what, 1) => what.trim_end_matches('s'),
        (what, _) => what,
    }
}

fn ranking(app: &AppIdentity, list: &TransactionList, range: &Range, wishes: &Wishes) -> Markup {
    html! {
        div.title {
            h2 { "Transactions by impact" }
            (filter(app, list, range, wishes))
        }
        @if list.transactions.is_empty() {
            p.empty { "Nothing ran in this time, or nothing has that name. Choose a longer time above." }
        } @else {
            div.panel {
                table.ranking {
                    caption.hidden { "Transactions, those that take most of all time first" }
                    thead { tr {
                        th { "transaction" } th.impact { "impact" }
                        th.number { "average" } th.number.wide { "median" } th.number { "95th" } th.number.wide { "99th" }
                        th.number.wide { "throughput" } th.number { "failed" }
                    } }
                    tbody { @for transaction in &list.transactions { (row(app, transaction, range)) } }
                }
            }
            (pages(app, list, range, wishes))
        }
    }
}

fn row(app: &AppIdentity, summary: &TransactionSummary, range: &Range) -> Markup {
    let failed = summary.failed as f64 / summary.count.max(1) as f64;
    let name = transaction_name(&summary.transaction.name);
    html! {
        tr {
            td.name {
                a href={ (path::transaction(app, summary.transaction.id)) (suffix(range)) } { (name) }
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
            td.number data-label="95th" { (duration(summary.p95_ms)) }
            td.number.wide { (duration(summary.p99_ms)) }
            td.number.wide { (per_minute(summary.per_minute)) }
            td.number.bad[failed >= 0.05] data-label="failed" { (share(failed)) }
        }
    }
}

fn filter(app: &AppIdentity, list: &TransactionList, range: &Range, wishes: &Wishes) -> Markup {
    html! {
        form.filter method="get" action=(path::app(app)) {
            @if let Some(name) = range.name { input type="hidden" name="range" value=(name); }
            label { span.hidden { "Part of the name" } input type="search" name="search" placeholder="Part of a name" value=[wishes.search.as_deref()]; }
            @if list.kinds.len() > 1 {
                label {
                    span.hidden { "Kind" }
                    select name="kind" {
                        option value="" { "all kinds" }
                        @for kind in list.kinds.iter().filter(|kind| !kind.is_empty()) {
                            option value=(kind) selected[wishes.kind.as_deref() == Some(kind)] { (kind) }
                        }
                    }
                }
            }
            button type="submit" { "Show" }
        }
    }
}

fn pages(app: &AppIdentity, list: &TransactionList, range: &Range, wishes: &Wishes) -> Markup {
    let current = wishes.page.unwrap_or(0);
    let shown = (current * ROWS + list.transactions.len()).min(list.total);
    let link = |page: usize| {
        let search = path::encode(wishes.search.as_deref().unwrap_or_default());
        let kind = path::encode(wishes.kind.as_deref().unwrap_or_default());
        format!("{}{}&search={search}&kind={kind}&page={page}", path::app(app), suffix(range))
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

/// Keeps the time in links.
pub(super) fn suffix(range: &Range) -> String {
    match range.name {
        Some(name) => format!("?range={name}"),
        None => format!("?from={}&to={}", chart_time(range.from), chart_time(range.to)),
    }
}

fn chart_time(seconds: i64) -> String {
    path::encode(&opbeat_protocol::Timestamp::from_seconds(seconds).to_string())
}

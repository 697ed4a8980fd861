//! The lists of an app's queries and of its calls of other services, ranked.

use axum::extract::{Path, Query as Params};
use maud::{Markup, html};

use super::empty;
use super::query_parameters::PageParameters;
use super::sorting::Sorting;
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{count, duration, rate, share};
use crate::dashboard::layout::{Page, Tab, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, HostSummary, Range, SpanFamily, SpanList, SpanOrder, SpanSummary};
use crate::text::shortened;

/// The number of rows on one page.
const ROWS: usize = 50;

/// The longest signature in a table, in characters. The title has the whole one.
const MAX_SIGNATURE: usize = 120;

pub(in crate::dashboard) async fn queries(
    reader: Reader,
    path: Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    list(reader, SpanFamily::Queries, path, parameters).await
}

pub(in crate::dashboard) async fn calls(
    reader: Reader,
    path: Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    list(reader, SpanFamily::Calls, path, parameters).await
}

/// The words of a family.
pub(super) struct Words {
    /// The heading of the list.
    pub(super) title: &'static str,
    /// One of them.
    pub(super) one: &'static str,
    /// Several of them.
    pub(super) many: &'static str,
    /// The tab that is current.
    pub(super) tab: Tab,
}

/// Returns the words of a family.
pub(super) const fn words(family: SpanFamily) -> Words {
    match family {
        SpanFamily::Queries => Words { title: "Queries", one: "query", many: "queries", tab: Tab::Queries },
        SpanFamily::Calls => Words { title: "Outgoing calls", one: "call", many: "calls", tab: Tab::Calls },
    }
}

async fn list(
    reader: Reader,
    family: SpanFamily,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let range = parameters.range(&reader, &app).await?;
    let search = parameters.search.as_deref().filter(|search| !search.is_empty());
    let order = parameters.order.as_deref().and_then(SpanOrder::parse).unwrap_or_default();
    let mut current = parameters.page.unwrap_or(0);
    let part = |page: usize| (ROWS, page.saturating_mul(ROWS));
    let mut shown = reader.query.spans(&app, family, &range, (order, search), part(current)).await?;
    if shown.spans.is_empty() && shown.total > 0 {
        // A page beyond the last one shows the last one.
        current = (shown.total - 1) / ROWS;
        shown = reader.query.spans(&app, family, &range, (order, search), part(current)).await?;
    }
    let words = words(family);
    let base = path::spans(&app, family);
    let link = format!("{base}{}&search={}", path::range(&range), path::encode(search.unwrap_or_default()));
    let name = SpanOrder::NAMES.into_iter().find(|(_, known)| *known == order).map_or("time", |(name, _)| name);
    let sorting = Sorting { link: &link, order: name };
    let is_first = current == 0 && order == SpanOrder::Time && search.is_none();
    let content = html! {
        div.title { h1 { (words.title) } (ranges(&base, &range)) }
        @if shown.total == 0 && search.is_none() {
            (unknown(&shown, &words))
            (empty::no_span(family))
        } @else {
            @if is_first { (sentence(&app, family, &shown, &range)) }
            (unknown(&shown, &words))
            @if shown.hosts.len() > 1 && is_first { (hosts(&shown.hosts)) }
            div.title { h2 { (words.title) " by " (by(order)) } (filter(&base, &range, search, name)) }
            @if shown.spans.is_empty() {
                p.empty { "No " (words.one) " in this time range has this text. Choose a longer range above, or another text." }
            } @else {
                (table(&app, family, &shown, &range, &sorting))
                (rest(&shown, &words, &link, name, current))
                (estimates(&shown, &words))
            }
        }
    };
    let title = format!("{} {}", app.name, words.many);
    let head = Page { title: &title, app: Some(&app), tab: Some(words.tab), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn by(order: SpanOrder) -> &'static str {
    match order {
        SpanOrder::Time => "time",
        SpanOrder::Calls => "frequency",
        SpanOrder::Average => "average",
        SpanOrder::Failed => "failures",
        SpanOrder::Name => "name",
    }
}

/// Says which one costs the most.
fn sentence(app: &AppIdentity, family: SpanFamily, list: &SpanList, range: &Range) -> Markup {
    let words = words(family);
    html! {
        @if let Some(first) = list.spans.first().filter(|_| list.share > 0.0) {
            p.lead {
                a href={ (path::span(app, family, first.id)) (path::range(range)) } { (signature(&first.signature)) }
                " takes " strong { (share(first.share)) } " of all time"
                @if list.total > 1 { ", all " (count(list.total as u64)) " " (words.many) " together " (share(list.share)) }
                "."
            }
        }
    }
}

/// Says how much time is in spans that no sample names.
fn unknown(list: &SpanList, words: &Words) -> Markup {
    html! {
        @if list.unknown_share >= 0.001 {
            p.muted.note {
                (share(list.unknown_share)) " of all time is in " (words.many)
                " of transactions without a sample so far, and is not listed."
            }
        }
    }
}

/// Explains the times that are marked as estimates.
fn estimates(list: &SpanList, words: &Words) -> Markup {
    let samples: u64 = list.spans.iter().filter_map(|span| span.estimated_from_samples).max().unwrap_or(0);
    html! {
        @if list.spans.iter().any(|span| span.estimated_from_samples.is_some()) {
            p.muted.note {
                "≈ The agent counts the time of each kind of span in all transactions, and sends the " (words.many)
                " of sampled ones only. The time of a transaction in a kind is divided as in its samples: here up to "
                (count(samples)) (if samples == 1 { " sample" } else { " samples" }) " of each " (words.one) "."
            }
        }
    }
}

fn hosts(hosts: &[HostSummary]) -> Markup {
    html! {
        section {
            h2 { "By host" }
            div.panel { table.ranking {
                caption.hidden { "Hosts, those with the most time first" }
                thead { tr {
                    th scope="col" { "host" } th.impact scope="col" { "share of all time" } th.number scope="col" { "calls" }
                    th.number scope="col" { "average" } th.number scope="col" { "failed" }
                } }
                tbody {
                    @for host in hosts {
                        tr {
                            td.name { (host.host) }
                            td.impact data-label="share" { (meter(host.share)) }
                            td.number data-label="calls" { (count(host.count)) }
                            td.number data-label="average" { (duration(host.total_ms / host.count.max(1) as f64)) }
                            td.number data-label="failed" { (failed(host.failed, host.answered)) }
                        }
                    }
                }
            } }
        }
    }
}

fn table(app: &AppIdentity, family: SpanFamily, list: &SpanList, range: &Range, sorting: &Sorting<'_>) -> Markup {
    let has_failures = family == SpanFamily::Calls;
    let words = words(family);
    html! {
        div.panel { table.ranking.sorted {
            caption.hidden { (words.title) }
            thead { tr {
                (sorting.header(words.one, "name", ""))
                (sorting.header("share of all time", "time", "impact"))
                th.trend scope="col" { "time" }
                (sorting.header("per minute", "calls", "number"))
                (sorting.header("average", "average", "number"))
                th.number.wide scope="col" { "total" }
                @if has_failures { (sorting.header("failed", "failed", "number")) }
            } }
            tbody { @for span in &list.spans { (row(app, family, span, range)) } }
        } }
    }
}

fn row(app: &AppIdentity, family: SpanFamily, span: &SpanSummary, range: &Range) -> Markup {
    let estimate = if span.estimated_from_samples.is_some() { "≈ " } else { "" };
    html! {
        tr {
            td.name title=(span.signature) {
                a href={ (path::span(app, family, span.id)) (path::range(range)) } { (signature(&span.signature)) }
                @if span.n_plus_one_samples > 0 { " " span.flag { "N+1" } }
                " " span.tag { (span.kind) }
                @if span.is_shared() { div.about.muted { "all beyond the first 2,000: use signatures without values" } }
            }
            td.impact data-label="share" { (meter(span.share)) }
            td.trend { (chart::spark(&span.trend_ms, "time over the range")) }
            td.number data-label="per minute" { (rate(span.per_minute)) }
            td.number data-label="average" { (span.average_ms.map_or_else(|| "–".to_owned(), duration)) }
            td.number.wide { (estimate) (duration(span.total_ms)) }
            @if family == SpanFamily::Calls { td.number data-label="failed" { (failed(span.failed, span.answered)) } }
        }
    }
}

/// Shows a share as a bar and as a number.
pub(super) fn meter(of: f64) -> Markup {
    html! {
        svg.meter aria-hidden="true" {
            rect.bar.impact x="0" y="0" width={ (format!("{:.2}", of.clamp(0.0, 1.0) * 100.0)) "%" } height="100%" rx="2" {}
        }
        span { (share(of)) }
    }
}

/// Shows how many of the observed executions failed. Percentages of few are noise.
pub(super) fn failed(failed: u64, answered: u64) -> Markup {
    let text = match answered {
        0 => "–".to_owned(),
        answered if answered < 20 => format!("{} of {}", count(failed), count(answered)),
        answered => share(failed as f64 / answered as f64),
    };
    let title = format!("{} of {} calls whose result is known", count(failed), count(answered));
    html! { span.bad[failed > 0] title=[(answered > 0).then_some(&title)] { (text) } }
}

/// Returns a signature for a table: the start of a long one.
pub(super) fn signature(signature: &str) -> String {
    if signature.is_empty() { "(no text)".to_owned() } else { shortened(signature, MAX_SIGNATURE) }
}

fn filter(base: &str, range: &Range, search: Option<&str>, order: &str) -> Markup {
    html! {
        form.filter method="get" action=(base) {
            @if let Some(name) = range.name { input type="hidden" name="range" value=(name); }
            input type="hidden" name="order" value=(order);
            label { span.hidden { "Part of the text" } input type="search" name="search" placeholder="Part of the text" value=[search]; }
            button type="submit" { "Show" }
        }
    }
}

/// Says how many others there are, with their share of all time, and links to them.
fn rest(list: &SpanList, words: &Words, link: &str, order: &str, current: usize) -> Markup {
    let shown = (current * ROWS + list.spans.len()).min(list.total);
    let others = list.total - list.spans.len();
    let here: f64 = list.spans.iter().map(|span| span.share).sum();
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted {
                    (count(shown as u64)) " of " (count(list.total as u64)) " " (words.many) "; other "
                    (count(others as u64)) ": " (share((list.share - here).max(0.0))) " of all time"
                }
                @if current > 0 { a href={ (link) "&order=" (order) "&page=" (current - 1) } { "previous" } }
                @if shown < list.total { a href={ (link) "&order=" (order) "&page=" (current + 1) } { "next" } }
            }
        }
    }
}

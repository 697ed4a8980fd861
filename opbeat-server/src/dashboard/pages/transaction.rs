//! The page of one transaction: its durations, its time by kind of span, and its samples.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};

use super::findings::{self, Subject};
use super::query_parameters::PageParameters;
use super::span_table;
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{self, ago, count, duration, per_minute, share, time, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, BreakdownPart, FindingsOf, Range, SampleOrder, SampleSummary, TransactionSummary};

/// The number of samples in each list.
const SAMPLES: i64 = 10;

/// The largest number of queries and calls in their table.
const SPANS: usize = 20;

/// The largest number of findings above the figures.
const FINDINGS: usize = 2;

pub(in crate::dashboard) async fn transaction(
    reader: Reader,
    Path((organization, app, id)): Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let range = parameters.range(&reader, &app).await?;
    let summary = reader.query.transaction(&app, id, &range).await?.ok_or(Problem::NotFound("transaction"))?;
    let series = reader.query.series(&app, Some(id), &range).await?;
    let breakdown = reader.query.breakdown(&app, Some(id), &range).await?;
    let spans = reader.query.spans_of(&app, id, &range, SPANS).await?;
    let slowest = reader.query.samples(&app, id, &range, SampleOrder::Slowest, SAMPLES).await?;
    let newest = reader.query.samples(&app, id, &range, SampleOrder::Newest, SAMPLES).await?;
    let findings = reader.query.findings(&app, FindingsOf::Transaction(id)).await?;
    let name = transaction_name(&summary.transaction.name);
    let content = html! {
        div.title {
            h1 { (name) @if !summary.transaction.kind.is_empty() { " " span.tag { (summary.transaction.kind) } } }
            (ranges(&path::transaction(&app, id), &range))
        }
        (findings::list(&app, &findings.findings, FINDINGS, Subject::Transaction))
        (figures(&summary))
        div.charts { (chart::durations(&series, &app)) (chart::results(&series, &app)) }
        (time_by_kind(&breakdown, summary.count))
        (span_table::of_transaction(&app, &spans, summary.count, &range))
        section.columns {
            (samples("Slowest samples", &app, id, &slowest, &range))
            (samples("Newest samples", &app, id, &newest, &range))
        }
    };
    let title = format!("{name} of {}", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Performance), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn figures(summary: &TransactionSummary) -> Markup {
    let failed = summary.failed as f64 / summary.count.max(1) as f64;
    let has_shorter_heads = summary.has_shorter_heads();
    let head = |ms| if has_shorter_heads { format!("response head {}", duration(ms)) } else { String::new() };
    html! {
        dl.figures {
            (figure("average", &duration(summary.average_ms), ""))
            (figure("median", &duration(summary.p50_ms), &head(summary.head.p50_ms)))
            (figure("95th percentile", &duration(summary.p95_ms), &head(summary.head.p95_ms)))
            (figure("99th percentile", &duration(summary.p99_ms), &head(summary.head.p99_ms)))
            (figure("throughput", &per_minute(summary.per_minute), &format!("{} in total", count(summary.count))))
            (figure("failed", &share(failed), &format!("{} of {}", count(summary.failed), count(summary.count))))
        }
        @if has_shorter_heads {
            p.muted { "Response head: the time until status and headers were ready. The rest is the response body, such as a stream or a download." }
        }
    }
}

fn time_by_kind(parts: &[BreakdownPart], transactions: u64) -> Markup {
    // Each minute has the same samples for all of its kinds, but not each minute has all kinds.
    let samples = parts.iter().filter_map(|part| part.estimated_from_samples).max();
    html! {
        section {
            h2 { "Time by kind of span" }
            @if parts.is_empty() {
                p.muted { "This transaction did not run in this time range." }
            } @else {
                @if let Some(samples) = samples {
                    p.muted.note { "Estimated from " (count(samples)) @if samples == 1 { " sample" } @else { " samples" } " of " (count(transactions)) " transactions. The agent sends the spans of a few transactions only." }
                }
                (chart::breakdown(parts))
                div.panel { table.kinds {
                    caption.hidden { "Time by kind of span" }
                    thead { tr { th { "kind" } th.number { "share" } th.number { "per transaction" } th.number.wide { "spans per transaction" } } }
                    tbody { @for part in parts { (kind_row(part, transactions)) } }
                } }
            }
        }
    }
}

fn kind_row(part: &BreakdownPart, transactions: u64) -> Markup {
    let transactions = transactions.max(1) as f64;
    let is_app = part.kind == "app";
    html! {
        tr {
            td { span class={ "dot " (chart::kind_class(&part.kind)) } {} (part.kind) @if is_app { " " span.muted { "the application's own code" } } }
            td.number { (share(part.share)) }
            td.number { (duration(part.self_ms / transactions)) }
            td.number.wide { @if is_app { "–" } @else { (format!("{:.1}", part.count as f64 / transactions)) } }
        }
    }
}

fn samples(title: &str, app: &AppIdentity, transaction: i64, samples: &[SampleSummary], range: &Range) -> Markup {
    let now = Timestamp::now();
    html! {
        div {
            h2 { (title) }
            @if samples.is_empty() {
                p.muted { "No samples are kept from this time range." }
            } @else {
                div.panel { table {
                    thead { tr { th { "when" } th { "result" } th.number { "duration" } } }
                    tbody {
                        @for sample in samples {
                            tr {
                                td { a href={ (path::sample(app, transaction, sample.id)) (path::range(range)) } title=(time(sample.happened_at)) { (ago(sample.happened_at, now)) } }
                                td {
                                    @match sample.average_of {
                                        Some(number) if sample.result.is_empty() => span.muted { "average of " (count(number)) },
                                        _ => (result(&sample.result, &sample.outcome)),
                                    }
                                }
                                td.number { (duration(sample.duration_ms)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

/// Shows a result, and its outcome if that adds something.
pub(super) fn result(result: &str, outcome: &str) -> Markup {
    let adds_something = matches!(outcome, "panicked" | "client_gone" | "timed_out" | "shed") && outcome != result;
    html! {
        @if result.is_empty() {
            span.muted { "–" }
        } @else {
            span class={ "result " (chart::result_style(result)) } { (format::outcome(result)) }
        }
        @if adds_something { " " span.muted { (format::outcome(outcome)) } }
    }
}

//! The page of one query, or of one call of another service: who issues it, and how it changed.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};

use super::query_parameters::PageParameters;
use super::room::Room;
use super::spans::{failed, meter, signature, words};
use super::transaction::result;
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{ago, count, duration, rate, share, time, transaction_name};
use crate::dashboard::layout::{Page, figure, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Range, SpanCaller, SpanDetail, SpanFamily, SpanRelease, SpanSample};

pub(in crate::dashboard) async fn query(
    reader: Reader,
    path: Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    detail(reader, SpanFamily::Queries, path, parameters).await
}

pub(in crate::dashboard) async fn call(
    reader: Reader,
    path: Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    detail(reader, SpanFamily::Calls, path, parameters).await
}

async fn detail(
    reader: Reader,
    family: SpanFamily,
    Path((organization, app, id)): Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let range = parameters.range(&reader, &app).await?;
    let words = words(family);
    let now = Timestamp::now();
    let span = reader.query.span(&app, family, id, &range).await?.ok_or(Problem::NotFound(words.one))?;
    let room = Room::new();
    let content = html! {
        p.back { a href={ (path::spans(&app, family)) (path::range(&range)) } { "← " (words.title) } }
        div.title {
            h1 { (room.text(&span.summary.signature)) " " span.tag { (span.summary.kind) } }
            (ranges(&path::span(&app, family, id), &range))
        }
        @if let Some(text) = &span.text { pre.wrapped tabindex="0" aria-label="One execution" { code { (room.text(text)) } } }
        (figures(family, &span))
        (notes(&span))
        div.charts {
            (chart::averages("Average time", &span.series, &app))
            (chart::executions("Executions per minute", &span.series, &app))
        }
        (callers(&app, &span.callers, &range))
        (releases(&app, &span.releases))
        (samples(&app, &span.samples, &range, now))
        (room.rest())
    };
    let title = format!("{} of {}", signature(&span.summary.signature), app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(words.tab), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn figures(family: SpanFamily, span: &SpanDetail) -> Markup {
    let summary = &span.summary;
    let estimate = if summary.estimated_from_samples.is_some() { "≈ " } else { "" };
    let total = format!("{estimate}{} in total", duration(summary.total_ms));
    let average = summary.average_ms.map_or_else(|| "–".to_owned(), duration);
    html! {
        dl.figures {
            (figure("share of all time", &share(summary.share), &total))
            (figure("average", &average, ""))
            (figure("executions", &rate(summary.per_minute), &format!("{} in total", count(summary.count))))
            @if let Some(target) = &summary.target {
                (figure(if family == SpanFamily::Queries { "table" } else { "host" }, target, ""))
            }
            @if family == SpanFamily::Calls {
                div.figure { dt { "failed" } dd { (failed(summary.failed, summary.answered)) small { "of those whose result is known" } } }
            }
        }
    }
}

fn notes(span: &SpanDetail) -> Markup {
    let summary = &span.summary;
    html! {
        @if summary.n_plus_one_samples > 0 {
            p.finding {
                strong { "N+1: " } (count(summary.n_plus_one_samples))
                (if summary.n_plus_one_samples == 1 { " sampled transaction" } else { " sampled transactions" })
                " ran it once for each row of another query. One query or call for all of them takes less time."
            }
        }
        @if let Some(samples) = summary.estimated_from_samples {
            p.muted.note {
                "≈ Number and time are estimates: the agent counts the time of each kind of span in all transactions, and it is divided as in samples, of which "
                (count(samples)) (if samples == 1 { " has" } else { " have" }) " this one in the time range."
            }
        }
    }
}

fn callers(app: &AppIdentity, callers: &[SpanCaller], range: &Range) -> Markup {
    html! {
        section {
            h2 { "Issued by" }
            @if callers.is_empty() {
                p.muted { "No transaction that issued it ran in this time range." }
            } @else {
                div.panel { table.ranking {
                    caption.hidden { "Transactions that issue it, those with the most time in it first" }
                    thead { tr {
                        th scope="col" { "transaction" } th.impact scope="col" { "share of its time" }
                        th.number scope="col" { "executions" } th.number scope="col" { "average" } th.number scope="col" { "total" }
                    } }
                    tbody {
                        @for caller in callers {
                            tr {
                                td.name {
                                    a href={ (path::transaction(app, caller.transaction.id)) (path::range(range)) } { (transaction_name(&caller.transaction.name)) }
                                    @if let Some(line) = &caller.line { div.about.muted { code { (line) } } }
                                }
                                td.impact data-label="share" { (meter(caller.share)) }
                                td.number data-label="executions" { (count(caller.count)) }
                                td.number data-label="average" { (caller.average_ms.map_or_else(|| "–".to_owned(), duration)) }
                                td.number data-label="total" { (duration(caller.total_ms)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn releases(app: &AppIdentity, releases: &[SpanRelease]) -> Markup {
    html! {
        @if !releases.is_empty() {
            section {
                h2 { "By release" }
                div.panel { table {
                    caption.hidden { "Executions by release, the newest first" }
                    thead { tr { th scope="col" { "release" } th.number scope="col" { "average" } th.number scope="col" { "per minute" } th.number scope="col" { "total" } } }
                    tbody {
                        @for part in releases {
                            tr {
                                td {
                                    @match part.release {
                                        Some(mark) => a href=(path::release(app, mark.number)) title=(time(mark.completed_at)) { "R#" (mark.number) },
                                        None => span.muted { "before" },
                                    }
                                }
                                td.number { (part.average_ms.map_or_else(|| "–".to_owned(), duration)) }
                                td.number { (rate(part.per_minute)) }
                                td.number { (duration(part.total_ms)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

fn samples(app: &AppIdentity, samples: &[SpanSample], range: &Range, now: Timestamp) -> Markup {
    html! {
        section {
            h2 { "Samples with the most time in it" }
            @if samples.is_empty() {
                p.muted { "No sample that has it is kept from this time range." }
            } @else {
                div.panel { table {
                    caption.hidden { "Samples, those with the most time in it first" }
                    thead { tr {
                        th scope="col" { "when" } th scope="col" { "transaction" } th.wide scope="col" { "result" }
                        th.number scope="col" { "executions" } th.number scope="col" { "time in it" } th.number.wide scope="col" { "whole duration" }
                    } }
                    tbody {
                        @for part in samples {
                            tr {
                                td { a href={ (path::sample(app, part.transaction.id, part.sample.id)) (path::range(range)) } title=(time(part.sample.happened_at)) { (ago(part.sample.happened_at, now)) } }
                                td.name {
                                    (transaction_name(&part.transaction.name))
                                    @if let Some(number) = part.sample.average_of { " " span.muted { "average of " (count(number)) } }
                                }
                                td.wide { (result(&part.sample.result, &part.sample.outcome)) }
                                td.number { (count(part.count)) @if part.n_plus_one { " " span.flag { "N+1" } } }
                                td.number { (duration(part.total_ms)) }
                                td.number.wide { (duration(part.sample.duration_ms)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

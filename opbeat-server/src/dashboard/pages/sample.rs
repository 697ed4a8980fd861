//! The page of one sampled transaction: a waterfall of its spans.

use std::collections::HashMap;

use axum::extract::{Path, Query as Params};
use maud::{Markup, html};
use serde_json::Value;

use super::query_parameters::PageParameters;
use super::transaction::result;
use super::{frames, values};
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{bytes, count, duration, share, time, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Sample, SampleReference, SampleSpanView, SpanAverage};

/// The number of spans that are shown before the others are folded.
const SHOWN: usize = 100;

pub(in crate::dashboard) async fn sample(
    reader: Reader,
    Path((organization, app, transaction, id)): Path<(String, String, i64, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let range = parameters.range(&reader, &app).await?;
    let summary = reader.query.transaction(&app, transaction, &range).await?.ok_or(Problem::NotFound("transaction"))?;
    let sample = reader.query.sample(&app, transaction, id).await?.ok_or(Problem::NotFound("sample"))?;
    let name = transaction_name(&summary.transaction.name);
    let content = html! {
        p.back { a href={ (path::transaction(&app, transaction)) (path::range(&range)) } { "← " (name) } }
        h1 { (title(&sample)) (name) }
        (figures(&sample))
        @if sample.is_aggregate {
            p.muted { "This agent sends no single transactions. Each line stands for all spans with the same path: the bar and the time on the right are their time per transaction." }
        }
        @if let Some(claimed) = sample.claimed_at {
            p.muted { "The agent sent the time " (time(claimed)) ", so this sample is listed at the time of its arrival." }
        }
        (trace(&app, &sample))
        (waterfall(&sample))
        (context(&sample))
    };
    let title = format!("{}{name}", title(&sample));
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Performance), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

/// Returns the start of the title, before the transaction's name.
fn title(sample: &Sample) -> String {
    match sample.summary.average_of {
        Some(1) => "Average of 1 transaction: ".to_owned(),
        Some(number) => format!("Average of {} transactions: ", count(number)),
        None => "Sample of ".to_owned(),
    }
}

fn figures(sample: &Sample) -> Markup {
    let label = if sample.is_aggregate { "average duration" } else { "duration" };
    html! {
        dl.figures {
            (figure(label, &duration(sample.summary.duration_ms), ""))
            @if let Some(queued) = sample.context.queued_ms { (figure("queued", &duration(queued), "before the application, by the proxy's header")) }
            @if let Some(head) = sample.context.head_ms { (figure("response head", &duration(head), "status and headers were ready")) }
            @if let Some(busy) = sample.context.busy_ms { (figure("busy", &duration(busy), "the rest is waiting")) }
            @if let Some(sent) = sample.context.response_bytes { (figure("response body", &bytes(sent), "sent to the client")) }
            @if let Some(received) = sample.context.request_bytes.filter(|received| *received > 0) {
                (figure("request body", &bytes(received), "as the request declares it"))
            }
            @if !sample.summary.result.is_empty() {
                div.figure { dt { "result" } dd { (result(&sample.summary.result, &sample.summary.outcome)) } }
            }
            (figure("when", &time(sample.summary.happened_at), ""))
        }
    }
}

/// Shows the trace that the transaction is part of.
fn trace(app: &AppIdentity, sample: &Sample) -> Markup {
    let Some(trace_id) = &sample.context.trace_id else { return html! {} };
    html! {
        p.muted {
            "Part of the trace " code { (trace_id) }
            @if sample.context.parent.is_some() { ", started by " (parent(app, sample.parent)) } "."
        }
    }
}

fn parent(app: &AppIdentity, parent: Option<SampleReference>) -> Markup {
    match parent {
        Some(parent) => {
            html! { a href=(path::sample(app, parent.transaction_id, parent.sample_id)) { "another transaction" } }
        }
        None => html! { "a transaction that was not sampled" },
    }
}

fn waterfall(sample: &Sample) -> Markup {
    let whole = sample.summary.duration_ms;
    let rest = sample.spans.len().saturating_sub(SHOWN);
    let mut first: HashMap<usize, usize> = HashMap::new();
    sample.spans.iter().enumerate().for_each(|(index, span)| {
        first.entry(span.group).or_insert(index);
    });
    let is_first = |index: usize| sample.spans.get(index).is_some_and(|span| first.get(&span.group) == Some(&index));
    html! {
        section {
            h2 { "Waterfall" }
            div.waterfall {
                div.span.whole {
                    span.what { "whole transaction" }
                    (chart::position("transaction", 0.0, whole, whole))
                    span.number { (duration(whole)) }
                }
                @for (index, span) in sample.spans.iter().enumerate().take(SHOWN) { (span_row(span, is_first(index), whole)) }
            }
            @if sample.spans.is_empty() { p.muted { "No spans were recorded: all the time was spent in the application's own code." } }
            @if rest > 0 {
                details { summary { (count(rest as u64)) " more spans" } div.waterfall {
                    @for (index, span) in sample.spans.iter().enumerate().skip(SHOWN) { (span_row(span, is_first(index), whole)) }
                } }
            }
            @if sample.omitted_spans > 0 {
                p.muted { (count(sample.omitted_spans)) " more spans were left out, because there were too many or their values were too large." }
            }
            @if let Some(dropped) = sample.context.dropped_spans { p.muted { (count(dropped)) " more spans were dropped, because there were too many." } }
        }
    }
}

/// Shows a span. Its further values are folded. The other spans of its group link to the first one, which has them.
fn span_row(span: &SampleSpanView, is_first: bool, whole: f64) -> Markup {
    let depth = format!("what d{}", span.depth.min(8));
    let line = html! {
        span class=(depth) {
            span class={ "dot " (chart::kind_class(&span.kind)) } {} (span.signature) " " span.muted { (span.kind) }
            @if let Some(average) = &span.average { small { (averages(average)) } }
        }
        (chart::position(&span.kind, span.start_ms, span.duration_ms, whole))
        span.number { (duration(span.duration_ms)) }
    };
    let anchor = format!("group-{}", span.group);
    let has_details = !span.extra.is_empty() || !span.frames.is_empty() || span.is_cut;
    html! {
        @if has_details || !is_first {
            details.span-facts id=[is_first.then_some(&anchor)] {
                summary { div.span { (line) } }
                div.facts {
                    p.muted {
                        "starts after " (duration(span.start_ms))
                        @if !is_first { "; values and stack are those of " a href={ "#" (anchor) } { "the first of these spans" } }
                        @if span.is_cut { "; values and stack were left out, because they were too large" }
                    }
                    (values::list(&span.extra))
                    @if !span.frames.is_empty() { (frames::stack(&span.frames)) }
                }
            }
        } @else {
            div.span id=(anchor) { (line) }
        }
    }
}

/// Describes the spans of many transactions: `50 per transaction, 1.00 ms each; in 10 % of transactions`.
fn averages(average: &SpanAverage) -> String {
    let mut text = match average.count {
        count if count == average.transactions => format!("{} each", duration(average.mean_ms)),
        _ => format!("{} per transaction, {} each", times(average.per_transaction), duration(average.mean_ms)),
    };
    if average.share < 1.0 {
        text.push_str(&format!("; in {} of transactions ({})", share(average.share), count(average.transactions)));
    }
    text
}

/// Formats a number of executions: `50×`, `2.5×`.
fn times(number: f64) -> String {
    if number.fract() < 0.05 || number >= 100.0 {
        format!("{}×", count(number.round() as u64))
    } else {
        format!("{number:.1}×")
    }
}

fn context(sample: &Sample) -> Markup {
    let context = &sample.context;
    html! {
        @if let Some(Value::Object(http)) = &context.http { section { h2 { "Request" } (values::request(http)) } }
        @for (title, value) in [("User", &context.user), ("Tags", &context.tags), ("Extra", &context.extra)] {
            @if let Some(Value::Object(map)) = value { @if !map.is_empty() { section { h2 { (title) } (values::list(map)) } } }
        }
    }
}

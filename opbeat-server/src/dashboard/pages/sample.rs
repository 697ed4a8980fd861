//! The page of one sampled transaction: a waterfall of its spans.

use std::collections::{HashMap, HashSet};

use axum::extract::{Path, Query as Params};
use maud::{Markup, html};
use serde_json::Value;

use super::query_parameters::PageParameters;
use super::room::Room;
use super::span_links::Links;
use super::transaction::result;
use super::{frames, values};
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{bytes, count, duration, share, time, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{
    AppIdentity, Sample, SampleReference, SampleSpanView, SpanAverage, SpanRepeats, TraceSample, issuing_line,
};

/// The number of spans that are shown before the others are folded.
const SHOWN: usize = 100;

/// The largest number of findings above the waterfall.
const MAX_FINDINGS: usize = 5;

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
    let links = Links::new(&reader, &app, &sample, &range).await?;
    let room = Room::new();
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
        (findings(&sample))
        (waterfall(&sample, &links, &room))
        (context(&sample, &room))
        (room.rest())
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
    let others: Vec<&TraceSample> =
        sample.trace.iter().filter(|other| other.caller.is_none() && !other.is_caller).collect();
    html! {
        p.muted {
            "Part of the trace " code { (trace_id) }
            @if sample.context.parent.is_some() { ", started by " (parent(app, sample.parent)) }
            "."
            @if let Some(caller) = sample.trace.iter().find(|other| other.is_caller) {
                " Called by " (other_sample(caller)) "."
            }
            @for (index, other) in others.iter().enumerate() {
                @if index == 0 { " Also in this trace: " } @else { ", " }
                (other_sample(other))
            }
        }
    }
}

fn other_sample(other: &TraceSample) -> Markup {
    html! {
        a href=(path::sample(&other.app, other.sample.transaction_id, other.sample.sample_id)) {
            (other.app.name) " " (transaction_name(&other.name))
        }
        " (" (duration(other.duration_ms)) ")"
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

fn waterfall(sample: &Sample, links: &Links, room: &Room) -> Markup {
    let whole = sample.summary.duration_ms;
    let waterfall = Waterfall::new(sample);
    let rest = waterfall.rows.len().saturating_sub(SHOWN);
    html! {
        section {
            h2 { "Waterfall" }
            div.waterfall {
                div.span.whole {
                    span.what { "whole transaction" }
                    (chart::position("transaction", 0.0, whole, whole))
                    span.number { (duration(whole)) }
                }
                @for row in waterfall.rows.iter().take(SHOWN) { (waterfall_row(row, whole, links, room)) }
            }
            @if sample.spans.is_empty() { p.muted { "No spans were recorded: all the time was spent in the application's own code." } }
            @if rest > 0 {
                details { summary { (count(rest as u64)) " more spans" } div.waterfall {
                    @for row in waterfall.rows.iter().skip(SHOWN) { (waterfall_row(row, whole, links, room)) }
                } }
            }
            @if sample.omitted_spans > 0 {
                p.muted { (count(sample.omitted_spans)) " more spans were left out, because there were too many or their values were too large." }
            }
            (dropped(sample))
        }
    }
}

/// Shows how many spans the agent dropped, and their time by kind.
fn dropped(sample: &Sample) -> Markup {
    let Some(dropped) = sample.context.dropped_spans else { return html! {} };
    html! {
        p.muted {
            (count(dropped)) " more spans were dropped, because there were too many"
            @for (index, (kind, spans)) in sample.context.dropped.iter().flatten().enumerate() {
                @if index == 0 { ": " } @else { ", " }
                (count(spans.count)) " of kind " (kind) " (" (duration(spans.total_ms)) ")"
            }
            "."
        }
    }
}

/// The rows of a waterfall: the spans of the sample, and the transactions that they called in other apps.
struct Waterfall<'s> {
    sample: &'s Sample,
    /// The called transactions, by the number of their caller and its span. The sample itself has the number 0.
    calls: HashMap<(usize, Option<usize>), Vec<usize>>,
    rows: Vec<Row<'s>>,
}

enum Row<'s> {
    Span(SpanRow<'s>),
    /// A transaction that a span called.
    Call {
        called: &'s TraceSample,
        depth: usize,
    },
}

struct SpanRow<'s> {
    span: &'s SampleSpanView,
    /// The number of its transaction.
    member: usize,
    depth: usize,
    start_ms: f64,
    /// Whether it is the first span of its group, which has the values and the stack.
    is_first: bool,
}

impl<'s> Waterfall<'s> {
    fn new(sample: &'s Sample) -> Self {
        let mut calls: HashMap<(usize, Option<usize>), Vec<usize>> = HashMap::new();
        for (index, called) in sample.trace.iter().enumerate() {
            if let Some(caller) = called.caller {
                calls.entry((caller, called.caller_span)).or_default().push(index + 1);
            }
        }
        let mut waterfall = Self { sample, calls, rows: Vec::new() };
        waterfall.add_spans(0, &sample.spans, 0, 0.0);
        waterfall
    }

    /// Adds the spans of a transaction, each followed by the transactions that it called. The query model lists callers
    /// before the called, so that this ends.
    fn add_spans(&mut self, member: usize, spans: &'s [SampleSpanView], depth: usize, offset: f64) {
        let mut groups: HashSet<usize> = HashSet::new();
        for (index, span) in spans.iter().enumerate() {
            let (depth, start_ms) = (depth + span.depth, offset + span.start_ms);
            let is_first = groups.insert(span.group);
            self.rows.push(Row::Span(SpanRow { span, member, depth, start_ms, is_first }));
            self.add_calls((member, Some(index)), depth + 1);
        }
        self.add_calls((member, None), depth);
    }

    fn add_calls(&mut self, caller: (usize, Option<usize>), depth: usize) {
        for member in self.calls.remove(&caller).unwrap_or_default() {
            let Some(called) = self.sample.trace.get(member - 1) else { continue };
            self.rows.push(Row::Call { called, depth });
            self.add_spans(member, &called.spans, depth + 1, called.start_ms);
        }
    }
}

fn waterfall_row(row: &Row<'_>, whole: f64, links: &Links, room: &Room) -> Markup {
    match row {
        Row::Span(row) => span_row(row, whole, links, room),
        Row::Call { called, depth } => call_row(called, *depth, whole),
    }
}

/// Shows a transaction of another app, or of the same app, that a span called.
fn call_row(called: &TraceSample, depth: usize, whole: f64) -> Markup {
    let link = path::sample(&called.app, called.sample.transaction_id, called.sample.sample_id);
    html! {
        div.span.call {
            span class=(depth_class(depth)) {
                span class={ "dot " (chart::kind_class("transaction")) } {}
                strong { (called.app.name) } " " a href=(link) { (transaction_name(&called.name)) }
                " " (result(&called.result, &called.outcome))
            }
            (chart::position("transaction", called.start_ms, called.duration_ms, whole))
            span.number { (duration(called.duration_ms)) }
        }
    }
}

/// Shows a span. Its further values are folded. The other spans of its group link to the first one, which has them.
fn span_row(row: &SpanRow<'_>, whole: f64, links: &Links, room: &Room) -> Markup {
    let SpanRow { span, member, depth, start_ms, is_first } = *row;
    let line = html! {
        span class=(depth_class(depth)) {
            span class={ "dot " (chart::kind_class(&span.kind)) } {} (room.text(&span.signature)) " " span.muted { (span.kind) }
            @if let Some(repeats) = &span.repeats {
                " " span.repeats { (count(repeats.count)) "×" }
                @if repeats.n_plus_one { " " span.flag { "N+1" } }
            }
            @if let Some(average) = &span.average { small { (averages(average)) } }
        }
        (chart::position(&span.kind, start_ms, span.duration_ms, whole))
        span.number { (duration(span.repeats.map_or(span.duration_ms, |repeats| repeats.total_ms))) }
    };
    let anchor = anchor(member, span.group);
    // Spans of other apps have their pages there.
    let link = Some(span).filter(|_| member == 0 && is_first).and_then(|span| links.of(span));
    let has_details =
        link.is_some() || !span.extra.is_empty() || !span.frames.is_empty() || span.is_cut || span.repeats.is_some();
    html! {
        @if has_details || !is_first {
            details.span-facts id=[is_first.then_some(&anchor)] {
                summary { div.span { (line) } }
                div.facts {
                    p.muted {
                        "starts after " (duration(start_ms))
                        @if let Some(repeats) = &span.repeats { "; " (combined(repeats, span.duration_ms)) }
                        @if !is_first { "; values and stack are those of " a href={ "#" (anchor) } { "the first of these spans" } }
                        @if span.is_cut { "; values and stack were left out, because they were too large" }
                    }
                    @if let Some(link) = &link { p { a href=(link) { "All executions of this span" } } }
                    (values::list(&span.extra, room))
                    @if !span.frames.is_empty() { (frames::stack(&span.frames, room)) }
                }
            }
        } @else {
            div.span id=(anchor) { (line) }
        }
    }
}

/// Returns the anchor of a group of spans of the transaction with a number.
fn anchor(member: usize, group: usize) -> String {
    if member == 0 { format!("group-{group}") } else { format!("trace-{member}-group-{group}") }
}

fn depth_class(depth: usize) -> String {
    format!("what d{}", depth.min(8))
}

/// Describes repeats: `20 equal spans, 1.00 ms each, from the first to the last 60.0 ms`.
fn combined(repeats: &SpanRepeats, extent_ms: f64) -> String {
    let mean = repeats.total_ms / repeats.count.max(1) as f64;
    format!(
        "{} equal spans, {} each, {} from the start of the first to the end of the last",
        count(repeats.count),
        duration(mean),
        duration(extent_ms)
    )
}

/// Shows the repeated queries and calls that could be one, with the line that issues them.
fn findings(sample: &Sample) -> Markup {
    let repeated = |span: &'_ SampleSpanView| span.repeats.filter(|repeats| repeats.n_plus_one);
    html! {
        @for span in sample.spans.iter().filter(|span| repeated(span).is_some()).take(MAX_FINDINGS) {
            @if let Some(repeats) = repeated(span) {
                p.finding {
                    strong { "N+1: " } code { (span.signature) } " ran " (count(repeats.count)) " times, "
                    (duration(repeats.total_ms)) " in total"
                    @if let Some(line) = issuing_line(&span.frames) { ", from " code { (line) } }
                    ". One query or call for all of them takes less time. " a href={ "#" (anchor(0, span.group)) } { "Show the span" }
                }
            }
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

fn context(sample: &Sample, room: &Room) -> Markup {
    let context = &sample.context;
    html! {
        @if let Some(Value::Object(http)) = &context.http { section { h2 { "Request" } (values::request(http, room)) } }
        @for (title, value) in [("User", &context.user), ("Tags", &context.tags), ("Extra", &context.extra)] {
            @if let Some(Value::Object(map)) = value { @if !map.is_empty() { section { h2 { (title) } (values::list(map, room)) } } }
        }
    }
}

//! The page of one error group: an occurrence with its stack trace, its request and its transaction.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};
use opbeat_protocol::{ErrorBody, Exception};

use super::errors::headline;
use super::query_parameters::PageParameters;
use super::{frames, values};
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{ago, outcome, signed_count, time, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, ErrorDetail, Occurrence};

pub(in crate::dashboard) async fn error(
    reader: Reader,
    Path((organization, app, number)): Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let detail = reader.query.error(&app, number, parameters.occurrence, Timestamp::now()).await?;
    let detail = detail.ok_or(Problem::NotFound("error"))?;
    let report = &detail.occurrence.report;
    let content = html! {
        p.back { a href=(path::errors(&app)) { "← Errors" } }
        h1.error-title { span.muted { "E#" (number) } " " (headline(&detail.error)) }
        @if !detail.error.type_name.is_empty() && !detail.error.message.is_empty() { p.lead { (message(report)) } }
        (figures(&detail))
        (occurrence_links(&app, &detail))
        (transaction(&app, &detail.occurrence))
        (causes(report.exception.as_ref()))
        (stack(report))
        (context(report))
    };
    let title = format!("E#{number} {}", headline(&detail.error));
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Errors), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

/// Returns the message of this occurrence.
fn message(report: &ErrorBody) -> &str {
    report
        .exception
        .as_ref()
        .map(|exception| exception.value.as_str())
        .filter(|value| !value.is_empty())
        .unwrap_or(&report.message)
}

fn figures(detail: &ErrorDetail) -> Markup {
    let now = Timestamp::now();
    let error = &detail.error;
    html! {
        dl.figures {
            (figure("seen", &times(error.times_seen), ""))
            (figure("last", &ago(error.last_seen, now), &time(error.last_seen)))
            (figure("first", &ago(error.first_seen, now), &time(error.first_seen)))
            div.figure { dt { "last 24 h" } dd { (chart::trend(&error.trend, "occurrences in each of the last 24 hours")) } }
        }
    }
}

fn times(count: i64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{} times", signed_count(count)) }
}

fn occurrence_links(app: &AppIdentity, detail: &ErrorDetail) -> Markup {
    let at = detail.occurrences.iter().position(|occurrence| occurrence.id == detail.occurrence.id).unwrap_or(0);
    let newer = at.checked_sub(1).and_then(|newer| detail.occurrences.get(newer));
    let older = detail.occurrences.get(at + 1);
    let link = |id: i64| format!("{}?occurrence={id}", path::error(app, detail.error.number));
    html! {
        nav.pages aria-label="Occurrences" {
            span { "This occurrence: " strong { (time(detail.occurrence.happened_at)) } }
            @if let Some(older) = older { a href=(link(older.id)) { "older" } }
            @if let Some(newer) = newer { a href=(link(newer.id)) { "newer" } }
        }
    }
}

fn transaction(app: &AppIdentity, occurrence: &Occurrence) -> Markup {
    let Some(reported) = &occurrence.report.transaction else { return html! {} };
    let name = transaction_name(&reported.name);
    html! {
        p.ended {
            "It occurred in "
            @match occurrence.sample {
                Some(sample) => a href=(path::sample(app, sample.transaction_id, sample.sample_id)) { strong { (name) } },
                None => strong { (name) },
            }
            @if let Some(kind) = &reported.kind { " " span.tag { (kind) } }
            @if let Some(result) = &reported.result { ", which ended with " span.result { (result.as_str().map_or_else(|| result.to_string(), outcome)) } }
            "."
        }
    }
}

fn causes(exception: Option<&Exception>) -> Markup {
    let causes = exception.map(|exception| exception.causes.as_slice()).unwrap_or_default();
    html! {
        @if !causes.is_empty() {
            section { h2 { "Caused by" } ol.causes { @for cause in causes { li { strong { (cause.type_name) } " " (cause.value) } } } }
        }
    }
}

fn stack(report: &ErrorBody) -> Markup {
    html! {
        section {
            h2 { "Stack trace " small.muted { "newest call first" } }
            @match report.stacktrace.as_ref().filter(|stack| !stack.frames.is_empty()) {
                Some(stack) => (frames::stack(&stack.frames)),
                None => p.muted { "The report contains no stack trace." },
            }
        }
    }
}

fn context(report: &ErrorBody) -> Markup {
    let machine = report.machine.as_ref().map(|machine| machine.hostname.as_str()).filter(|name| !name.is_empty());
    html! {
        @if let Some(http) = &report.http { section { h2 { "Request" } (values::request(http)) } }
        @for (title, map) in [("User", &report.user), ("Tags", &report.tags), ("Extra", &report.extra)] {
            @if let Some(map) = map { @if !map.is_empty() { section { h2 { (title) } (values::list(map)) } } }
        }
        p.muted {
            @if let Some(machine) = machine { "On " code { (machine) } ". " }
            @if let Some(release) = &report.rev { "Release " code { (release) } ". " }
            @if let Some(logger) = &report.logger { "Logger " code { (logger) } ". " }
            @if let Some(id) = &report.client_supplied_id { "Error id " code { (id) } "." }
        }
    }
}

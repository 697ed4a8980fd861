//! The page of one error group: an occurrence with its stack trace, its request and its transaction.

use axum::extract::{Path, Query as Params};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};
use opbeat_protocol::{ErrorBody, Exception, ParamMessage, Query as DatabaseQuery, Template};
use serde_json::{Map, Value};

use super::errors::headline;
use super::query_parameters::PageParameters;
use super::room::Room;
use super::triage::Forms;
use super::{affected, assignees, frames, history, values};
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::chart;
use crate::dashboard::format::{ago, count, outcome, signed_count, time, transaction_name};
use crate::dashboard::layout::{Page, Tab, figure, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, ErrorDetail, GroupingView, MergedError, NoteView, Occurrence};
use crate::text::shortened;

/// The largest number of parts of the grouping that are shown.
const MAX_PARTS: usize = 50;

/// The largest number of characters of a message that are not folded.
const MAX_MESSAGE: usize = 600;

pub(in crate::dashboard) async fn error(
    reader: Reader,
    browser: Browser,
    Path((organization, app, number)): Path<(String, String, i64)>,
    parameters: Params<PageParameters>,
) -> Result<Response, Problem> {
    let app = reader.app(&organization, &app).await?;
    let detail = reader.query.error(&app, number, parameters.occurrence, Timestamp::now()).await?;
    let detail = detail.ok_or(Problem::NotFound("error"))?;
    if detail.error.number != number {
        // It is merged into another one.
        return Ok(Redirect::to(&path::error(&app, detail.error.number)).into_response());
    }
    let assignees = reader.query.assignees(&app).await?;
    let occurrence = &detail.occurrence;
    let title = headline(&detail.error);
    let (room, now) = (Room::new(), Timestamp::now());
    let forms = Forms::of(&reader, &app, &browser);
    let content = html! {
        p.back { a href=(path::errors(&app)) { "← Errors" } }
        h1.error-title { span.muted { "E#" (number) } " " (title) " " span.tag { (detail.error.level) } }
        (lead(&detail, &room))
        (history::status(&detail.error, now))
        (assignees::sentence(&detail))
        @if let Some(forms) = &forms { (forms.actions(&app, &detail.error, &assignees)) }
        (figures(&detail))
        (occurrence_links(&app, &detail))
        (claimed_time(occurrence))
        (transaction(&app, occurrence, &room))
        (grouping(&detail.grouping, &room))
        @match &occurrence.report {
            Some(report) => (self::report(report, &room)),
            None => p.notice { "The stored report of this occurrence cannot be read; the counts and the other occurrences are not affected." },
        }
        (affected::lists(&app, &detail, &room, now))
        (merged(&app, &detail, forms.as_ref()))
        (history(&app, &detail, forms.as_ref(), now))
        (facts(&detail, &room))
        (room.rest())
        (notes(&occurrence.notes))
    };
    let title = format!("E#{number} {title}");
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Errors), is_signed_in: reader.is_signed_in };
    Ok(Forms::respond(forms, page(&head, &content)))
}

/// Lists the errors that are merged into this one, each with the button that splits it.
fn merged(app: &AppIdentity, detail: &ErrorDetail, forms: Option<&Forms>) -> Markup {
    html! {
        @if !detail.merged.is_empty() {
            section {
                h2 { "Merged errors" }
                p.muted { "Their occurrences are counted and shown here." }
                ul.merged {
                    @for error in &detail.merged {
                        li {
                            span { span.muted { "E#" (error.number) } " " (merged_name(error)) }
                            span.number { (signed_count(error.times_seen)) "×" }
                            @if let Some(forms) = forms { (forms.split(app, detail.error.number, error.number)) }
                        }
                    }
                }
            }
        }
    }
}

fn merged_name(error: &MergedError) -> String {
    match (&*error.type_name, &*error.message) {
        ("", message) => message.to_owned(),
        (type_name, "") => type_name.to_owned(),
        (type_name, message) => format!("{type_name}: {message}"),
    }
}

/// Shows the events and comments, with a form for another one.
fn history(app: &AppIdentity, detail: &ErrorDetail, forms: Option<&Forms>, now: Timestamp) -> Markup {
    html! {
        @if !detail.activity.is_empty() || forms.is_some() {
            section {
                h2 { "History" }
                (history::events(&detail.activity, now))
                @if let Some(forms) = forms { (forms.comment(app, detail.error.number)) }
            }
        }
    }
}

/// Redirects from an id that the application shows to its users to the occurrence with this id.
pub(in crate::dashboard) async fn error_by_id(
    reader: Reader,
    Path((organization, app, id)): Path<(String, String, String)>,
) -> Result<Redirect, Problem> {
    let app = reader.app(&organization, &app).await?;
    let found = reader.query.find_error(&app, &id).await?.ok_or(Problem::NotFound("error"))?;
    Ok(Redirect::to(&path::occurrence(&app, found.number, found.occurrence)))
}

/// Shows the message, unless the headline shows all of it. The rest of a long one is folded.
fn lead(detail: &ErrorDetail, room: &Room) -> Markup {
    let error = &detail.error;
    let message = message(detail);
    html! {
        @if !message.is_empty() && (!error.type_name.is_empty() || message != headline(error)) {
            p.lead { (shortened(message, MAX_MESSAGE)) }
            (whole(message, room))
        }
    }
}

/// Shows all of a message that was shortened, folded.
fn whole(message: &str, room: &Room) -> Markup {
    html! {
        @if shortened(message, MAX_MESSAGE) != message {
            details.whole { summary.muted { "The whole message" } pre.wrapped { (room.text(message)) } }
        }
    }
}

/// Returns the message of this occurrence, or that of the group if the report cannot be read.
fn message(detail: &ErrorDetail) -> &str {
    let Some(report) = &detail.occurrence.report else { return &detail.error.message };
    let exception = report.exception.as_ref().map(|exception| exception.value.as_str());
    exception.filter(|value| !value.is_empty()).unwrap_or(&report.message)
}

fn figures(detail: &ErrorDetail) -> Markup {
    let now = Timestamp::now();
    let error = &detail.error;
    html! {
        dl.figures {
            (figure("seen", &times(error.times_seen), ""))
            (affected::figure(&detail.affected_users))
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
    let link = |id: i64| path::occurrence(app, detail.error.number, id);
    html! {
        nav.pages aria-label="Occurrences" {
            span { "This occurrence: " strong { (time(detail.occurrence.happened_at)) } }
            @if let Some(older) = older { a href=(link(older.id)) { "older" } }
            @if let Some(newer) = newer { a href=(link(newer.id)) { "newer" } }
        }
    }
}

fn claimed_time(occurrence: &Occurrence) -> Markup {
    let Some(claimed) = occurrence.claimed_at else { return html! {} };
    let reason = if claimed > occurrence.happened_at { "is in the future" } else { "is more than 30 days ago" };
    html! {
        p.notice { "The agent sent the time " strong { (time(claimed)) } ", which " (reason) ". The error is counted at the time of its receipt." }
    }
}

fn transaction(app: &AppIdentity, occurrence: &Occurrence, room: &Room) -> Markup {
    let Some(reported) = occurrence.report.as_ref().and_then(|report| report.transaction.as_ref()) else {
        return html! {};
    };
    let name = transaction_name(&reported.name);
    html! {
        p.ended {
            "It occurred in "
            @match occurrence.sample {
                Some(sample) => a href=(path::sample(app, sample.transaction_id, sample.sample_id)) { strong { (room.text(name)) } },
                None => strong { (room.text(name)) },
            }
            @if let Some(kind) = &reported.kind { " " span.tag { (room.text(kind)) } }
            @if let Some(result) = &reported.result { ", which ended with " span.result { (room.text(&result.as_str().map_or_else(|| result.to_string(), outcome))) } }
            "."
        }
    }
}

/// Says why the occurrences of the group belong together.
fn grouping(grouping: &GroupingView, room: &Room) -> Markup {
    html! {
        @if grouping.parts.is_empty() {
            p.muted { (grouping.explanation) }
        } @else {
            details.grouping {
                summary.muted { (grouping.explanation) }
                ol { @for part in grouping.parts.iter().take(MAX_PARTS) { li { code { (room.text(part)) } } } }
                @if grouping.parts.len() > MAX_PARTS { p.muted { "and " (grouping.parts.len() - MAX_PARTS) " more" } }
            }
        }
    }
}

fn report(report: &ErrorBody, room: &Room) -> Markup {
    html! {
        (causes(report.exception.as_ref(), room))
        @if let Some(template) = &report.template { (self::template(template, room)) }
        @if let Some(query) = &report.query { (database_query(query, room)) }
        @if let Some(message) = &report.param_message { (parameters(message, &report.message, room)) }
        (stack(report, room))
        @if let Some(Value::Array(lines)) = report.extra.as_ref().and_then(|extra| extra.get(LOG_LINES)) { (log(lines, room)) }
        @if let Some(http) = &report.http { section { h2 { "Request" } (values::request(http, room)) } }
        @for (title, map) in [("User", &report.user), ("Tags", &report.tags)] {
            @if let Some(map) = map { @if !map.is_empty() { section { h2 { (title) } (values::list(map, room)) } } }
        }
        @if let Some(extra) = &report.extra { (self::extra(extra, room)) }
    }
}

fn causes(exception: Option<&Exception>, room: &Room) -> Markup {
    let causes = exception.map(|exception| exception.causes.as_slice()).unwrap_or_default();
    html! {
        @if !causes.is_empty() {
            section { h2 { "Caused by" } ol.causes { @for cause in room.items(causes.iter()) { li { strong { (room.text(&cause.type_name)) } " " (room.text(&shortened(&cause.value, MAX_MESSAGE))) (whole(&cause.value, room)) } } } }
        }
    }
}

fn template(template: &Template, room: &Room) -> Markup {
    let path = template.abs_path.as_deref().filter(|path| !path.is_empty()).unwrap_or(&template.filename);
    html! {
        section {
            h2 { "Template" }
            div.stack {
                div.frame { code.function { (room.text(&template.filename)) } span.place { (room.text(path)) @if template.lineno > 0 { ":" (template.lineno) } } }
                (frames::template_source(template, room))
            }
        }
    }
}

fn database_query(query: &DatabaseQuery, room: &Room) -> Markup {
    let engine = query.engine.as_deref().filter(|engine| !engine.is_empty());
    html! {
        section {
            h2 { "Query" @if let Some(engine) = engine { " " span.tag { (room.text(engine)) } } }
            pre.wrapped { code { (room.text(&query.query)) } }
        }
    }
}

/// Shows a message's template with its parameters, which are a list or named. Without parameters, a template that equals
/// the text says nothing.
fn parameters(message: &ParamMessage, text: &str, room: &Room) -> Markup {
    let (template, params) = match message {
        ParamMessage::Template(template) => (Some(template.as_str()), None),
        ParamMessage::Parts { message, params } => (Some(message.as_str()), Some(params)),
        ParamMessage::Other(value) => (None, Some(value)),
    };
    let params = match params {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(map)) => map.clone(),
        Some(Value::Array(items)) => {
            items.iter().enumerate().map(|(at, item)| ((at + 1).to_string(), item.clone())).collect()
        }
        Some(other) => [("1".to_owned(), other.clone())].into_iter().collect(),
    };
    html! {
        @if template.is_some_and(|template| template != text) || !params.is_empty() {
            section {
                h2 { "Message template" }
                @if let Some(template) = template { pre.wrapped { code { (room.text(template)) } } }
                (values::list(&params, room))
            }
        }
    }
}

fn stack(report: &ErrorBody, room: &Room) -> Markup {
    html! {
        section {
            h2 { "Stack trace " small.muted { "newest call first" } }
            @match report.stacktrace.as_ref().filter(|stack| !stack.frames.is_empty()) {
                Some(stack) => (frames::stack(&stack.frames, room)),
                None => p.muted { "The report contains no stack trace." },
            }
        }
    }
}

/// The extra value with the last lines that the transaction logged before the error.
const LOG_LINES: &str = "log_lines";

/// Shows the last lines that the transaction logged, with the seconds from each to the error.
fn log(lines: &[Value], room: &Room) -> Markup {
    let text = |line: &Value, name: &str| room.text(line[name].as_str().unwrap_or_default()).to_string();
    html! {
        @if !lines.is_empty() {
            section {
                h2 { "Log " small.muted { "before the error" } }
                div.panel { table.facts-table { tbody {
                    @for line in room.items(lines.iter()) {
                        tr {
                            th scope="row" { (format!("−{:.3} s", line["before"].as_f64().unwrap_or_default())) }
                            td { (text(line, "level")) }
                            td { code { (text(line, "target")) } }
                            td { code { (text(line, "message")) } }
                        }
                    }
                } } }
            }
        }
    }
}

/// Shows extra values. Those whose names start with `_` are for the agents, and log lines have a section of their own.
fn extra(extra: &Map<String, Value>, room: &Room) -> Markup {
    let shown: Map<String, Value> = extra
        .iter()
        .filter(|(name, value)| !(name.starts_with('_') || *name == LOG_LINES && value.is_array()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    html! {
        @if !shown.is_empty() { section { h2 { "Extra" } (values::list(&shown, room)) } }
    }
}

/// Shows where and how the error was reported.
fn facts(detail: &ErrorDetail, room: &Room) -> Markup {
    let occurrence = &detail.occurrence;
    let report = occurrence.report.as_ref();
    let text = |of: fn(&ErrorBody) -> Option<&str>| report.and_then(of).filter(|text| !text.is_empty());
    let facts = [
        ("Level", text(|report| report.level.as_deref())),
        ("Logger", text(|report| report.logger.as_deref())),
        ("Culprit", Some(detail.error.culprit.as_str()).filter(|culprit| !culprit.is_empty())),
        ("Machine", text(|report| report.machine.as_ref().map(|machine| machine.hostname.as_str()))),
        ("Environment", text(|report| report.environment.as_deref())),
        ("Release", text(|report| report.rev.as_deref())),
        ("Error id", Some(occurrence.external_id.as_str()).filter(|id| !id.is_empty())),
    ];
    let facts: Map<String, Value> =
        facts.into_iter().filter_map(|(name, fact)| Some((name.to_owned(), Value::from(fact?)))).collect();
    html! {
        @if !facts.is_empty() { section { h2 { "Origin" } (values::list(&facts, room)) } }
    }
}

/// Shows what the server changed in the report.
fn notes(notes: &[NoteView]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section {
                h2 { "Changed on arrival" }
                ul.notes {
                    @for note in notes {
                        li {
                            (note.explanation)
                            @if !note.path.is_empty() { " " code { (note.path) } }
                            @if note.count > 1 { " and " (count(note.count - 1)) " more" }
                        }
                    }
                }
            }
        }
    }
}

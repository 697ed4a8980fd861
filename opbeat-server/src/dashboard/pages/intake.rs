//! The page that shows what intake refused and changed, and what the agents dropped.

use axum::extract::{Path, Query as Params};
use maud::{Markup, html};

use super::query_parameters::PageParameters;
use crate::dashboard::access::Reader;
use crate::dashboard::format::{count, in_code};
use crate::dashboard::layout::{Page, Tab, figure, page, ranges};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{DroppedData, IntakeNote};

pub(in crate::dashboard) async fn intake(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let range = parameters.range(&reader, &app).await?;
    let report = reader.query.intake(&app, &range).await?;
    let total = |notes: &[IntakeNote]| count(notes.iter().fold(0, |all, note| note.count.saturating_add(all)));
    let dropped = report.dropped.iter().fold(0_u64, |all, dropped| dropped.count.saturating_add(all));
    let content = html! {
        div.title { h1 { "Intake" } (ranges(&path::intake(&app), &range)) }
        dl.figures {
            (figure("refused", &total(&report.refused), "bodies"))
            (figure("changed", &total(&report.changed), "values"))
            (figure("dropped by agents", &count(dropped), "items"))
        }
        (section("Refused bodies", "No body was refused.", &report.refused))
        (section("Changed values", "No value was changed: all are stored as the agents sent them.", &report.changed))
        @if !report.folded.is_empty() { (section("Counted under one name", "", &report.folded)) }
        (dropped_data(&report.dropped))
        p { a href=(path::setup(&app)) { "Connect another program" } }
    };
    let title = format!("{} intake", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Intake), is_signed_in: reader.is_signed_in };
    Ok(page(&head, &content))
}

fn section(title: &str, nothing: &str, notes: &[IntakeNote]) -> Markup {
    html! {
        section {
            h2 { (title) }
            @if notes.is_empty() { p.muted { (nothing) } } @else {
                (table(notes.iter().map(|note| (note.reason.as_str(), note.count, note.explanation))))
            }
        }
    }
}

fn dropped_data(dropped: &[DroppedData]) -> Markup {
    html! {
        section {
            h2 { "Dropped by the agents" }
            @if dropped.is_empty() { p.muted { "The agents reported no dropped data." } } @else {
                (table(dropped.iter().map(|dropped| (dropped.reason.as_str(), dropped.count, dropped.explanation))))
            }
        }
    }
}

fn table<'a>(rows: impl Iterator<Item = (&'a str, u64, &'a str)>) -> Markup {
    html! {
        div.panel {
            table.reasons {
                thead { tr { th.name { "reason" } th { "explanation" } th.number { "count" } } }
                tbody {
                    @for (reason, number, explanation) in rows {
                        tr {
                            td.name { (reason.replace('_', " ")) }
                            td.explanation { (in_code(explanation)) }
                            td.number { (count(number)) }
                        }
                    }
                }
            }
        }
    }
}

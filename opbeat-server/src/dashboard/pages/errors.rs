//! The list of an app's error groups.

use axum::extract::{Path, Query as Params};
use jiff::Timestamp;
use maud::{Markup, html};

use super::empty;
use super::query_parameters::PageParameters;
use crate::dashboard::access::Reader;
use crate::dashboard::chart;
use crate::dashboard::format::{ago, signed_count, time};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, ErrorList, ErrorOrder, ErrorSummary};

/// The number of rows on one page.
const ROWS: i64 = 50;

pub(in crate::dashboard) async fn errors(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Markup, Problem> {
    let app = reader.app(&organization, &app).await?;
    let head = Page {
        title: &format!("{} errors", app.name),
        app: Some(&app),
        tab: Some(Tab::Errors),
        is_signed_in: reader.is_signed_in,
    };
    if !reader.query.has_reported(&app).await? {
        return Ok(page(&head, &empty::no_request(&app)));
    }
    let is_by_count = parameters.order.as_deref() == Some("times");
    let order = if is_by_count { ErrorOrder::TimesSeen } else { ErrorOrder::LastSeen };
    let number = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(0);
    let list = reader.query.errors(&app, order, (ROWS, number.saturating_mul(ROWS)), Timestamp::now()).await?;
    let content = html! {
        div.title { h1 { "Errors" } (orders(&app, is_by_count)) }
        @if list.total == 0 { (none()) } @else { (table(&app, &list)) (pages(&app, &list, number, is_by_count)) }
    };
    Ok(page(&head, &content))
}

fn none() -> Markup {
    html! { section.empty { h2 { "No errors" } p { "No error has been reported. Panics, errors that handlers return and responses with a status of 5xx appear here." } } }
}

fn orders(app: &AppIdentity, is_by_count: bool) -> Markup {
    html! {
        nav.ranges aria-label="Order" {
            a href=(path::errors(app)) aria-current=[(!is_by_count).then_some("true")] { "latest" }
            a href={ (path::errors(app)) "?order=times" } aria-current=[is_by_count.then_some("true")] { "most frequent" }
        }
    }
}

fn table(app: &AppIdentity, list: &ErrorList) -> Markup {
    let now = Timestamp::now();
    html! {
        div.panel { table.errors {
            caption.hidden { "Errors" }
            thead { tr { th { "error" } th.number { "times" } th.trend { "last 24 h" } th.number { "last seen" } th.number.wide { "first seen" } } }
            tbody { @for error in &list.errors { (row(app, error, now)) } }
        } }
    }
}

fn row(app: &AppIdentity, error: &ErrorSummary, now: Timestamp) -> Markup {
    html! {
        tr {
            td.name {
                a href=(path::error(app, error.number)) { strong { (headline(error)) } }
                @if !error.type_name.is_empty() && !error.message.is_empty() { div.message { (error.message) } }
                div.muted { "E#" (error.number) @if !error.culprit.is_empty() { " · " code { (error.culprit) } } }
            }
            td.number { (signed_count(error.times_seen)) }
            td.trend { (chart::trend(&error.trend, "occurrences in each of the last 24 hours")) }
            td.number title=(time(error.last_seen)) { (ago(error.last_seen, now)) }
            td.number.wide title=(time(error.first_seen)) { (ago(error.first_seen, now)) }
        }
    }
}

/// Returns the type of a group's errors, or the message if they have none.
pub(super) fn headline(error: &ErrorSummary) -> &str {
    if error.type_name.is_empty() { &error.message } else { &error.type_name }
}

fn pages(app: &AppIdentity, list: &ErrorList, current: i64, is_by_count: bool) -> Markup {
    let order = if is_by_count { "times" } else { "latest" };
    let shown = (current * ROWS + ROWS).min(list.total);
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (signed_count(shown)) " of " (signed_count(list.total)) " errors" }
                @if current > 0 { a href={ (path::errors(app)) "?order=" (order) "&page=" (current - 1) } { "previous" } }
                @if shown < list.total { a href={ (path::errors(app)) "?order=" (order) "&page=" (current + 1) } { "next" } }
            }
        }
    }
}

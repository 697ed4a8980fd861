//! The list of an app's error groups.

use axum::extract::{Path, Query as Params};
use axum::response::{IntoResponse, Redirect, Response};
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
use crate::text::shortened;

/// The number of rows on one page.
const ROWS: i64 = 50;

/// The maximum length of a headline, in characters.
const MAX_HEADLINE: usize = 200;

pub(in crate::dashboard) async fn errors(
    reader: Reader,
    Path((organization, app)): Path<(String, String)>,
    parameters: Params<PageParameters>,
) -> Result<Response, Problem> {
    let app = reader.app(&organization, &app).await?;
    let head = Page {
        title: &format!("{} errors", app.name),
        app: Some(&app),
        tab: Some(Tab::Errors),
        is_signed_in: reader.is_signed_in,
    };
    let id = parameters.id.as_deref().map(str::trim).filter(|id| !id.is_empty());
    if let Some(id) = id
        && let Some(found) = reader.query.find_error(&app, id).await?
    {
        return Ok(Redirect::to(&path::occurrence(&app, found.number, found.occurrence)).into_response());
    }
    if !reader.query.has_reported(&app).await? {
        return Ok(page(&head, &empty::no_request(&app)).into_response());
    }
    let is_by_count = parameters.order.as_deref() == Some("times");
    let order = if is_by_count { ErrorOrder::TimesSeen } else { ErrorOrder::LastSeen };
    let requested = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    let (list, number) = read_page(&reader, &app, order, requested).await?;
    let content = html! {
        div.title { h1 { "Errors" } (orders(&app, is_by_count)) }
        @if list.total > 0 { (search(&app, id)) }
        @if list.total == 0 { (none()) } @else { (table(&app, &list)) (pages(&app, &list, number, is_by_count)) }
    };
    Ok(page(&head, &content).into_response())
}

/// Returns a page of the list with its number. The page after the last is the last.
async fn read_page(
    reader: &Reader,
    app: &AppIdentity,
    order: ErrorOrder,
    requested: i64,
) -> Result<(ErrorList, i64), Problem> {
    let now = Timestamp::now();
    let list = reader.query.errors(app, order, (ROWS, requested.saturating_mul(ROWS)), now).await?;
    let last = (list.total - 1).max(0) / ROWS;
    if requested <= last {
        return Ok((list, requested));
    }
    Ok((reader.query.errors(app, order, (ROWS, last * ROWS), now).await?, last))
}

/// Finds an error by the id that the application shows to its users.
fn search(app: &AppIdentity, missing: Option<&str>) -> Markup {
    html! {
        form.find action=(path::errors(app)) method="get" role="search" {
            input type="search" name="id" value=[missing] placeholder="Error id, such as X-Opbeat-ID" aria-label="Error id" maxlength="500";
            button type="submit" { "Find" }
        }
        @if let Some(id) = missing {
            p.notice { "No stored error has the id " code { (shortened(id, 100)) } ". Only the first and the 50 newest occurrences of each error are kept, at most 5 of one second." }
        }
    }
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
                a.headline href=(path::error(app, error.number)) { strong { (headline(error)) } }
                @if !error.type_name.is_empty() && !error.message.is_empty() { div.message { (error.message) } }
                div.about.muted { span { "E#" (error.number) @if error.level != "error" { " · " (error.level) } @if !error.culprit.is_empty() { " · " code { (error.culprit) } } } }
            }
            td.number { (signed_count(error.times_seen)) }
            td.trend { (chart::trend(&error.trend, "occurrences in each of the last 24 hours")) }
            td.number title=(time(error.last_seen)) { (ago(error.last_seen, now)) }
            td.number.wide title=(time(error.first_seen)) { (ago(error.first_seen, now)) }
        }
    }
}

/// Returns the type of a group's errors, or the message if they have none.
pub(super) fn headline(error: &ErrorSummary) -> String {
    shortened(if error.type_name.is_empty() { &error.message } else { &error.type_name }, MAX_HEADLINE)
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

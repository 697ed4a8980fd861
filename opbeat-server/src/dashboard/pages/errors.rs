//! The list of an app's error groups.

use axum::extract::{Path, Query as Params};
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::query_parameters::PageParameters;
use super::triage::{self, Forms};
use super::{assignees, setup};
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::chart;
use crate::dashboard::format::{ago, signed_count, time, users};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::error_status::{Status, StatusFilter};
use crate::query::{AppIdentity, Assignees, ErrorFilter, ErrorList, ErrorOrder, ErrorSummary, Rights};
use crate::text::shortened;

/// The number of rows on one page.
const ROWS: i64 = 50;

/// The maximum length of a headline, in characters.
const MAX_HEADLINE: usize = 200;

/// The orders, with their labels and their values of the parameter.
const ORDERS: [(ErrorOrder, &str, &str); 3] = [
    (ErrorOrder::LastSeen, "latest", ""),
    (ErrorOrder::TimesSeen, "most frequent", "times"),
    (ErrorOrder::Users, "most users", "users"),
];

/// The list that is shown.
struct Shown<'a> {
    app: &'a AppIdentity,
    list: ErrorList,
    status: Option<StatusFilter>,
    search: Option<&'a str>,
    /// The parameter with the assignee.
    assignee: Option<&'a str>,
    assignees: Assignees,
    reader: &'a Rights,
    order: ErrorOrder,
    /// The number of the page, from 0 on.
    number: i64,
}

pub(in crate::dashboard) async fn errors(
    reader: Reader,
    browser: Browser,
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
    let search = [&parameters.search, &parameters.id].into_iter().flatten().map(|text| text.trim());
    let search = search.into_iter().find(|text| !text.is_empty());
    if let Some(found) = exact(&reader, &app, search).await? {
        return Ok(Redirect::to(&found).into_response());
    }
    if !reader.query.has_reported(&app).await? {
        return setup::waiting(&reader, &browser, &head, &path::errors(&app), &parameters).await;
    }
    let status = match parameters.status.as_deref() {
        // A search finds errors of any status.
        None if search.is_some() => None,
        None => Some(StatusFilter::Open),
        Some(text) => StatusFilter::of(text),
    };
    let named =
        |(order, _, name): &(ErrorOrder, &str, &str)| (parameters.order.as_deref() == Some(name)).then_some(*order);
    let order = ORDERS.iter().find_map(named).unwrap_or(ErrorOrder::LastSeen);
    let requested = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    let assignees = reader.query.assignees(&app).await?;
    let assignee = parameters.assignee.as_deref().filter(|text| !text.is_empty());
    let assigned = assignee.and_then(|text| assignees::parse(text, &assignees, &reader.rights));
    let filter = ErrorFilter { status, search, assignee: assigned.as_ref() };
    let (list, number) = read_page(&reader, &app, filter, order, requested).await?;
    let assignee = assignee.filter(|_| assigned.is_some());
    let rights = &reader.rights;
    let shown = Shown { app: &app, list, status, search, assignee, assignees, reader: rights, order, number };
    let forms = Forms::of(&reader, &app, &browser);
    let content = html! {
        div.title { h1 { "Errors" } (orders(&shown)) }
        div.title { (statuses(&shown)) (find(&shown)) }
        @if shown.list.total == 0 { (none(&shown)) } @else { (rows(&shown, forms.as_ref())) (pages(&shown)) }
    };
    Ok(Forms::respond(forms, page(&head, &content)))
}

/// Returns the page of the error that a text names: by its number, or by the id that the application shows to its users.
async fn exact(reader: &Reader, app: &AppIdentity, text: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let number = text.strip_prefix("E#").or_else(|| text.strip_prefix("e#")).and_then(|number| number.parse().ok());
    if let Some(number) = number {
        return Ok(Some(path::error(app, number)));
    }
    let found = reader.query.find_error(app, text).await?;
    Ok(found.map(|found| path::occurrence(app, found.number, found.occurrence)))
}

/// Returns a page of the list with its number. The page after the last is the last.
async fn read_page(
    reader: &Reader,
    app: &AppIdentity,
    filter: ErrorFilter<'_>,
    order: ErrorOrder,
    requested: i64,
) -> Result<(ErrorList, i64), Problem> {
    let now = Timestamp::now();
    let read = |page: i64| reader.query.errors(app, filter, order, (ROWS, page.saturating_mul(ROWS)), now);
    let list = read(requested).await?;
    let last = (list.total - 1).max(0) / ROWS;
    if requested <= last {
        return Ok((list, requested));
    }
    Ok((read(last).await?, last))
}

impl Shown<'_> {
    /// Returns the address of this list with another status, order and page.
    fn link(&self, status: Option<StatusFilter>, order: ErrorOrder, page: i64) -> String {
        let mut link = path::errors(self.app);
        let mut add = |name: &str, value: &str| {
            link.push(if link.contains('?') { '&' } else { '?' });
            link.push_str(&format!("{name}={}", path::encode(value)));
        };
        match status {
            None => add("status", "all"),
            Some(StatusFilter::Open) if self.search.is_none() => {}
            Some(status) => add("status", status.as_str()),
        }
        self.search.iter().for_each(|search| add("search", search));
        self.assignee.iter().for_each(|assignee| add("assignee", assignee));
        let name = ORDERS.iter().find(|(known, ..)| *known == order).map_or("", |(.., name)| name);
        if !name.is_empty() {
            add("order", name);
        }
        if page > 0 {
            add("page", &page.to_string());
        }
        link
    }
}

fn statuses(shown: &Shown<'_>) -> Markup {
    let counts = &shown.list.counts;
    let all = counts.open + counts.resolved + counts.muted;
    let tabs = [
        (Some(StatusFilter::Open), "open", counts.open),
        (Some(StatusFilter::Regressed), "regressed", counts.regressed),
        (Some(StatusFilter::Resolved), "resolved", counts.resolved),
        (Some(StatusFilter::Muted), "muted", counts.muted),
        (None, "all", all),
    ];
    html! {
        nav.ranges aria-label="Status" {
            @for (status, name, count) in tabs {
                a href=(shown.link(status, shown.order, 0)) aria-current=[(shown.status == status).then_some("true")] {
                    (name) " " span.count { (signed_count(count)) }
                }
            }
        }
    }
}

/// Finds errors by a part of their texts, by their number, or by the id that the application shows to its users.
fn find(shown: &Shown<'_>) -> Markup {
    html! {
        form.find action=(path::errors(shown.app)) method="get" role="search" {
            input type="search" name="search" value=[shown.search] placeholder="text, E#7, or error id" aria-label="Text, number or id" maxlength="500";
            (assignees::filter(&shown.assignees, shown.assignee, shown.reader))
            button type="submit" { "Find" }
        }
    }
}

fn none(shown: &Shown<'_>) -> Markup {
    let counts = &shown.list.counts;
    html! {
        section.empty {
            @if let Some(search) = shown.search {
                h2 { "Nothing found" }
                p { "No error has " code { (shortened(search, 100)) } " in its type, message, culprit or level, and no stored error has this id. Only the first and the 50 newest occurrences of each error are kept, at most 5 of one second." }
            } @else if counts.open + counts.resolved + counts.muted == 0 {
                h2 { "No errors" }
                p { "No error has been reported. Panics, errors that handlers return and responses with a status of 5xx appear here." }
            } @else {
                h2 { "No " (shown.status.map_or("", StatusFilter::as_str)) " errors" }
                p { a href=(shown.link(None, shown.order, 0)) { "Show all errors" } }
            }
        }
    }
}
fn orders(shown: &Shown<'_>) -> Markup {
    html! {
        nav.ranges aria-label="Order" {
            @for (order, label, _) in ORDERS {
                a href=(shown.link(shown.status, order, 0)) aria-current=[(shown.order == order).then_some("true")] { (label) }
            }
        }
    }
}

/// Shows the table; with forms, the rows can be selected and changed together.
fn rows(shown: &Shown<'_>, forms: Option<&Forms>) -> Markup {
    let Some(forms) = forms else { return table(shown, false) };
    html! {
        form method="post" action=(path::change_errors(shown.app)) {
            (forms.hidden(&shown.link(shown.status, shown.order, shown.number)))
            (table(shown, true))
            div.actions { span.muted { "The selected errors:" } (triage::buttons(shown.status.map(common))) @if !shown.assignees.is_empty() { (assignees::button(&shown.assignees, None)) } button type="submit" name="action" value="merge" { "Merge" } }
        }
    }
}

/// Returns the status that all errors of a list have.
fn common(filter: StatusFilter) -> Status {
    match filter {
        StatusFilter::Open | StatusFilter::Regressed => Status::Open,
        StatusFilter::Resolved => Status::Resolved,
        StatusFilter::Muted => Status::Muted,
    }
}

fn table(shown: &Shown<'_>, can_select: bool) -> Markup {
    let now = Timestamp::now();
    html! {
        div.panel { table.errors {
            caption.hidden { "Errors" }
            thead { tr {
                @if can_select { th.select scope="col" { span.hidden { "select" } } }
                th scope="col" { "error" } th.number scope="col" { "times" } th.number scope="col" { "users" } th.trend scope="col" { "last 24 h" }
                th.number scope="col" { "last seen" } th.number.wide scope="col" { "first seen" }
            } }
            tbody { @for error in &shown.list.errors { (row(shown.app, error, can_select, now)) } }
        } }
    }
}

fn row(app: &AppIdentity, error: &ErrorSummary, can_select: bool, now: Timestamp) -> Markup {
    let state = match error.status {
        Status::Open => error.regressed_at.map(|_| "regressed"),
        Status::Resolved | Status::Muted => Some(error.status.as_str()),
    };
    html! {
        tr {
            @if can_select {
                td.select { input type="checkbox" name="number" value=(error.number) aria-label={ "Select E#" (error.number) }; }
            }
            td.name {
                a.headline href=(path::error(app, error.number)) { strong { (headline(error)) } }
                @if !error.type_name.is_empty() && !error.message.is_empty() { div.message { (error.message) } }
                div.about.muted { span { "E#" (error.number) @if let Some(state) = state { " · " span.tag.bad[state == "regressed"] { (state) } } @if error.level != "error" { " · " (error.level) } @if let Some(assignee) = &error.assignee { " · " (assignee.name) } @if !error.culprit.is_empty() { " · " code { (error.culprit) } } } }
            }
            td.number { (signed_count(error.times_seen)) }
            td.number title=[(error.users == 0).then_some("No report names a user.")] { @if error.users == 0 { span.muted { "–" } } @else { (users(error.users, error.has_more_users)) } }
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

fn pages(shown: &Shown<'_>) -> Markup {
    let Shown { list, number, .. } = shown;
    let end = (number * ROWS + ROWS).min(list.total);
    let link = |page: i64| shown.link(shown.status, shown.order, page);
    html! {
        @if list.total > ROWS {
            nav.pages aria-label="Pages" {
                span.muted { (signed_count(end)) " of " (signed_count(list.total)) " errors" }
                @if *number > 0 { a href=(link(number - 1)) { "previous" } }
                @if end < list.total { a href=(link(number + 1)) { "next" } }
            }
        }
    }
}

//! The list of all apps.

use axum::extract::Query as Params;
use jiff::Timestamp;
use maud::{Markup, html};

use super::empty;
use super::query_parameters::PageParameters;
use crate::dashboard::access::Reader;
use crate::dashboard::format::{ago, per_minute, share, signed_count};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppFilter, AppList, AppSummary, Scope};

/// The number of apps on one page.
const APPS: i64 = 60;

pub(in crate::dashboard) async fn apps(
    reader: Reader,
    Params(parameters): Params<PageParameters>,
) -> Result<Markup, Problem> {
    let now = Timestamp::now();
    let search = parameters.search.as_deref().map(str::trim).filter(|search| !search.is_empty());
    let filter = AppFilter { organization: None, search };
    let read = |page: i64| reader.query.apps(&reader.rights.scope, filter, (APPS, page.saturating_mul(APPS)), now);
    let mut current = i64::try_from(parameters.page.unwrap_or(0)).unwrap_or(i64::MAX);
    let mut list = read(current).await?;
    if list.apps.is_empty() && list.total > 0 {
        // A page beyond the last one shows the last one.
        current = (list.total - 1) / APPS;
        list = read(current).await?;
    }
    let is_outside = matches!(&reader.rights.scope, Scope::Organizations(roles) if roles.is_empty());
    let content = match search {
        None if is_outside => no_organization(),
        None if list.total == 0 => empty::no_app(),
        _ => content(&list, search, current, now),
    };
    Ok(page(&Page { title: "Apps", app: None, tab: None, is_signed_in: reader.is_signed_in }, &content))
}

/// Explains to a person without an organization how to get into one.
fn no_organization() -> Markup {
    html! {
        section.empty {
            h1 { "No organization" }
            p { "You belong to no organization. Ask an admin of one for an invitation." }
        }
    }
}

fn content(list: &AppList, search: Option<&str>, current: i64, now: Timestamp) -> Markup {
    html! {
        div.title { h1 { "Apps" } @if list.total > APPS || search.is_some() { (find(search)) } }
        @if list.apps.is_empty() { p.empty { "No app has this in its name." } }
        ul.cards {
            @for app in &list.apps { li { (card(app, now)) } }
        }
        @if list.total > APPS { (pages(list, search, current)) }
    }
}

fn find(search: Option<&str>) -> Markup {
    html! {
        form.filter action=(path::apps()) method="get" role="search" {
            input type="search" name="search" value=[search] placeholder="organization or app" aria-label="Part of the name" maxlength="200";
            button type="submit" { "Find" }
        }
    }
}

fn pages(list: &AppList, search: Option<&str>, current: i64) -> Markup {
    let first = current * APPS;
    let shown = (first + APPS).min(list.total);
    let link = |page: i64| {
        let search = search.map(|search| format!("&search={}", path::encode(search))).unwrap_or_default();
        format!("{}?page={page}{search}", path::apps())
    };
    html! {
        nav.pages aria-label="Pages" {
            span.muted { (signed_count(first + 1)) "–" (signed_count(shown)) " of " (signed_count(list.total)) " apps" }
            @if current > 0 { a href=(link(current - 1)) { "previous" } }
            @if shown < list.total { a href=(link(current + 1)) { "next" } }
        }
    }
}

fn card(summary: &AppSummary, now: Timestamp) -> Markup {
    let last_seen = summary.last_seen.map(|at| ago(at, now));
    let is_failing = summary.failed_share >= 0.05;
    html! {
        a.card href=(path::app(&summary.app)) {
            h2 { (summary.app.organization) " / " strong { (summary.app.name) } }
            @if let Some(last_seen) = last_seen {
                dl.figures {
                    div.figure { dt { "last hour" } dd { (per_minute(summary.per_minute)) } }
                    div.figure { dt { "failed" } dd.bad[is_failing] { (share(summary.failed_share)) } }
                    div.figure { dt { "open errors" } dd { (signed_count(summary.open_errors)) } }
                }
                p.muted { "last data " (last_seen) }
            } @else {
                p.muted { "no data yet" }
            }
        }
    }
}

//! The frame of all pages: header, tabs and footer.

use maud::{DOCTYPE, Markup, html};

use super::path;
use crate::query::{AppIdentity, RANGES, Range, SpanFamily};

/// The path of the style, without a base path. It changes with the version, so that browsers may keep the style for ever.
pub(super) const STYLE_PATH: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), "/opbeat.css");

/// The title of a page, and the app and tab that the header shows.
pub(super) struct Page<'a> {
    pub(super) title: &'a str,
    pub(super) app: Option<&'a AppIdentity>,
    pub(super) tab: Option<Tab>,
    pub(super) is_signed_in: bool,
}

/// The tabs of an app.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Performance,
    Errors,
    Queries,
    Calls,
    Jobs,
    Releases,
    Intake,
    Notifications,
    You,
}

/// Renders a page around its content.
pub(super) fn page(page: &Page<'_>, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · Opbeat" }
                link rel="stylesheet" href=(path::link(STYLE_PATH));
                link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M1 9h3l2-6 3 11 2-5h4' fill='none' stroke='%232f7d5b' stroke-width='2'/%3E%3C/svg%3E";
            }
            body {
                a.skip href="#content" { "Skip to content" }
                (header(page))
                main #content { (content) }
                footer { "Opbeat " (env!("CARGO_PKG_VERSION")) " · times are in UTC · " a href=(path::link("/api/v2/openapi.json")) { "API" } }
            }
        }
    }
}

fn header(page: &Page<'_>) -> Markup {
    let current = |tab: Tab| (page.tab == Some(tab)).then_some("page");
    html! {
        header.top {
            nav.crumbs aria-label="Breadcrumb" {
                a.brand href=(path::apps()) { (pulse()) "Opbeat" }
                @if let Some(app) = page.app {
                    span.slash aria-hidden="true" { "/" }
                    a href=(path::app(app)) { (app.organization) " / " strong { (app.name) } }
                }
            }
            @if let Some(app) = page.app {
                nav.tabs aria-label="Parts of the app" {
                    (tab("Performance", &path::app(app), current(Tab::Performance)))
                    (tab("Errors", &path::errors(app), current(Tab::Errors)))
                    (tab("Queries", &path::spans(app, SpanFamily::Queries), current(Tab::Queries)))
                    (tab("Calls", &path::spans(app, SpanFamily::Calls), current(Tab::Calls)))
                    (tab("Jobs", &path::jobs(app), current(Tab::Jobs)))
                    (tab("Releases", &path::releases(app), current(Tab::Releases)))
                    (tab("Intake", &path::intake(app), current(Tab::Intake)))
                }
            }
            @if page.is_signed_in {
                nav.account aria-label="People" {
                    @if let Some(app) = page.app {
                        a href=(path::notifications(app)) aria-current=[current(Tab::Notifications)] { "Notifications" }
                        a href=(path::people(&app.organization)) { "People" }
                    }
                    a href=(path::me()) aria-current=[current(Tab::You)] { "You" }
                }
                form.sign-out method="post" action=(path::sign_out()) { button.plain type="submit" { "Sign out" } }
            }
        }
    }
}

fn tab(name: &str, href: &str, current: Option<&str>) -> Markup {
    html! { a href=(path::part(href)) aria-current=[current] { (name) } }
}

fn pulse() -> Markup {
    html! {
        svg.pulse viewBox="0 0 16 16" aria-hidden="true" { path d="M1 9h3l2-6 3 11 2-5h4" {} }
    }
}

/// Renders links to the same page with other ranges.
pub(super) fn ranges(base: &str, current: &Range) -> Markup {
    html! {
        nav.ranges aria-label="Time range" {
            @for (name, _) in RANGES {
                a href={ (base) "?range=" (name) } aria-current=[(current.name == Some(name)).then_some("true")] { (name) }
            }
        }
    }
}

/// Renders a number with its label and a note.
pub(super) fn figure(label: &str, value: &str, note: &str) -> Markup {
    html! {
        div.figure { dt { (label) } dd { (value) @if !note.is_empty() { small { (note) } } } }
    }
}

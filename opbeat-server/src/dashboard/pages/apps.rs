//! The list of all apps.

use jiff::Timestamp;
use maud::{Markup, html};

use super::empty;
use crate::dashboard::access::Reader;
use crate::dashboard::format::{ago, per_minute, share, signed_count};
use crate::dashboard::layout::{Page, page};
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::AppSummary;

pub(in crate::dashboard) async fn apps(reader: Reader) -> Result<Markup, Problem> {
    let now = Timestamp::now();
    let apps = reader.query.apps(&reader.scope, now).await?;
    let content = if apps.is_empty() { empty::no_app() } else { list(&apps, now) };
    Ok(page(&Page { title: "Apps", app: None, tab: None, is_signed_in: reader.is_signed_in }, &content))
}

fn list(apps: &[AppSummary], now: Timestamp) -> Markup {
    html! {
        h1 { "Apps" }
        ul.cards {
            @for app in apps { li { (card(app, now)) } }
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

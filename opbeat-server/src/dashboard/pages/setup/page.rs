//! The page of an app that waits for its first data, and the page with the same steps for an app that has data.

use axum::extract::{Path, Query as Params};
use axum::http::header::REFRESH;
use axum::response::{AppendHeaders, IntoResponse, Response};
use jiff::Timestamp;
use maud::{Markup, html};

use super::program::Program;
use super::steps::{Target, steps};
use crate::dashboard::access::{Browser, Reader};
use crate::dashboard::format::{in_code, minutes_ago};
use crate::dashboard::layout::{Page, Tab, page};
use crate::dashboard::pages::query_parameters::PageParameters;
use crate::dashboard::path;
use crate::dashboard::problem::Problem;
use crate::query::{AppIdentity, Unstored};

/// The time after which the browser reads a page without data again, in seconds.
const RENEWAL: &str = "10";

/// Shows the steps that connect an application, also to an app that has data.
pub(in crate::dashboard) async fn setup(
    reader: Reader,
    browser: Browser,
    Path((organization, app)): Path<(String, String)>,
    Params(parameters): Params<PageParameters>,
) -> Result<Response, Problem> {
    let app = reader.app(&organization, &app).await?;
    let (base, site) = (path::setup(&app), &browser.site);
    let title = format!("{} set-up", app.name);
    let head = Page { title: &title, app: Some(&app), tab: Some(Tab::Intake), is_signed_in: reader.is_signed_in };
    if !reader.query.has_reported(&app).await? {
        return waiting(&reader, &browser, &head, &base, &parameters).await;
    }
    let program = Program::of(parameters.setup.as_deref());
    let content = html! {
        h1 { "Connect another program to " (app.name) }
        (tabs(program, |program| format!("{base}?setup={}", program.name())))
        (steps(program, &Target { app: &app, site, arrives: "It appears on the page Performance" }))
    };
    Ok(page(&head, &content).into_response())
}

/// Shows the steps, and why nothing has arrived. The browser reads the page again until its app has data.
///
/// `head` has the app, and `base` is the address of the page.
pub(in crate::dashboard::pages) async fn waiting(
    reader: &Reader,
    browser: &Browser,
    head: &Page<'_>,
    base: &str,
    parameters: &PageParameters,
) -> Result<Response, Problem> {
    let app = head.app.ok_or(Problem::NotFound("app"))?;
    let now = Timestamp::now();
    let program = Program::of(parameters.setup.as_deref());
    let is_renewed = parameters.renew.as_deref() != Some("off");
    let link = |program: Program, is_renewed: bool| {
        format!("{base}?setup={}{}", program.name(), if is_renewed { "" } else { "&renew=off" })
    };
    let unstored = reader.query.last_unstored(app).await?;
    let target = Target { app, site: &browser.site, arrives: "It appears here" };
    let content = html! {
        h1 { "Waiting for the first request of " (app.name) }
        (state(app, unstored.as_ref(), now))
        p.muted {
            @if is_renewed {
                "This page renews itself every " (RENEWAL) " seconds, last at "
                time datetime=(now) { (now.strftime("%H:%M:%S UTC").to_string()) } ". "
                a href=(link(program, false)) { "Stop renewing" }
            } @else {
                "This page does not renew itself. " a href=(link(program, true)) { "Renew it every " (RENEWAL) " seconds" }
            }
        }
        (tabs(program, |program| link(program, is_renewed)))
        (steps(program, &target))
    };
    let renewal = AppendHeaders(is_renewed.then_some((REFRESH, RENEWAL)));
    Ok((renewal, page(head, &content)).into_response())
}

/// Says whether anything has arrived, and why it was not stored.
fn state(app: &AppIdentity, unstored: Option<&Unstored>, now: Timestamp) -> Markup {
    html! {
        @match unstored {
            None => p.lead { "Nothing has arrived yet." },
            Some(unstored) => section.notice {
                p {
                    strong { (if unstored.is_refused { "Data was refused" } else { "Data arrived, and was not stored" }) }
                    ", " (minutes_ago(unstored.minute, now)) " ("
                    time datetime=(unstored.minute) { (unstored.minute.strftime("%H:%M UTC").to_string()) } ")."
                }
                p { (in_code(unstored.explanation)) " " a href=(path::intake(app)) { "All reasons" } }
            },
        }
    }
}

fn tabs(current: Program, link: impl Fn(Program) -> String) -> Markup {
    html! {
        nav.choices aria-label="Kind of program" {
            @for program in Program::ALL {
                a href=(link(program)) aria-current=[(program == current).then_some("true")] { (program.label()) }
            }
        }
    }
}

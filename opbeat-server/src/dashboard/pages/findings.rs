//! Transactions that became slower after a release, or without one.

use maud::{Markup, html};

use crate::dashboard::format::{in_code, time};
use crate::dashboard::path;
use crate::query::{AppIdentity, Finding};

/// The page that shows findings. It has no links to itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    App,
    Transaction,
    Release,
}

/// Shows findings, each as a sentence with links to the transaction and the release, and at most a number of them.
pub(super) fn list(app: &AppIdentity, findings: &[Finding], most: usize, subject: Subject) -> Markup {
    html! {
        @for finding in findings.iter().take(most) {
            p.finding {
                (in_code(&finding.sentence)) ". "
                @if subject != Subject::Transaction { a href=(path::transaction(app, finding.transaction)) { "Show the transaction" } }
                @if subject == Subject::App { " · " }
                @if subject != Subject::Release { (since(app, finding)) }
            }
        }
        @if findings.len() > most { p.muted { "and " (findings.len() - most) " more: see " a href=(path::releases(app)) { "Releases" } } }
    }
}

/// Shows the release of a finding, or the time of a change without one.
fn since(app: &AppIdentity, finding: &Finding) -> Markup {
    let release = |number: i64| html! { a href=(path::release(app, number)) { "R#" (number) } };
    html! {
        @if let Some(number) = finding.release { (release(number)) }
        @if let Some(began_at) = finding.began_at {
            "since " (time(began_at))
            @match (finding.explained_by, finding.ended_at) {
                (Some(number), _) => { ", explained by " (release(number)) }
                (None, Some(ended_at)) => { ", over at " (time(ended_at)) }
                (None, None) => { ", not over" }
            }
        }
    }
}

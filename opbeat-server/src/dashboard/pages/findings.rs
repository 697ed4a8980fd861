//! Transactions that became slower after a release.

use maud::{Markup, html};

use crate::dashboard::format::in_code;
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
                @if subject != Subject::Release { a href=(path::release(app, finding.release)) { "R#" (finding.release) } }
            }
        }
        @if findings.len() > most { p.muted { "and " (findings.len() - most) " more: see " a href=(path::releases(app)) { "Releases" } } }
    }
}

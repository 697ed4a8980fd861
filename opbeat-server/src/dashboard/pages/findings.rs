//! Transactions that became slower after a release.

use maud::{Markup, html};

use crate::dashboard::format::in_code;
use crate::dashboard::path;
use crate::query::{AppIdentity, Finding};

/// Shows findings, each as a sentence with links to the transaction and the release, and at most a number of them. The page
/// of a transaction has no link to itself.
pub(super) fn list(app: &AppIdentity, findings: &[Finding], most: usize, page: Option<i64>) -> Markup {
    html! {
        @for finding in findings.iter().take(most) {
            p.finding {
                (in_code(&finding.sentence)) ". "
                @if page != Some(finding.transaction) { a href=(path::transaction(app, finding.transaction)) { "Show the transaction" } " " }
                a href=(path::release(app, finding.release)) { "R#" (finding.release) }
            }
        }
        @if findings.len() > most { p.muted { "and " (findings.len() - most) " more: see " a href=(path::releases(app)) { "Releases" } } }
    }
}

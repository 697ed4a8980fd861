//! The queries and calls of a transaction.

use maud::{Markup, html};

use super::spans::signature;
use crate::dashboard::chart;
use crate::dashboard::format::duration;
use crate::dashboard::path;
use crate::query::{AppIdentity, Range, SpanFamily, TransactionSpan};

/// Shows the queries and calls of a transaction that ran a number of times.
pub(super) fn of_transaction(app: &AppIdentity, spans: &[TransactionSpan], transactions: u64, range: &Range) -> Markup {
    let runs = transactions.max(1) as f64;
    html! {
        @if !spans.is_empty() {
            section {
                h2 { "Queries and calls" }
                div.panel { table.kinds {
                    caption.hidden { "Queries and calls, those with the most time first" }
                    thead { tr { th scope="col" { "span" } th.number scope="col" { "per transaction" } th.number scope="col" { "executions per transaction" } } }
                    tbody {
                        @for span in spans {
                            tr {
                                td.name title=(span.signature) {
                                    span class={ "dot " (chart::kind_class(&span.kind)) } {}
                                    @match SpanFamily::of(&span.kind) {
                                        Some(family) => a href={ (path::span(app, family, span.id)) (path::range(range)) } { (signature(&span.signature)) },
                                        None => (signature(&span.signature)),
                                    }
                                }
                                td.number { (duration(span.total_ms / runs)) }
                                td.number { (format!("{:.1}", span.count as f64 / runs)) }
                            }
                        }
                    }
                } }
            }
        }
    }
}

//! Statements of databases and calls of other services: how often each signature of spans ran, and for how long.
//!
//! ```text
//! averages, joined spans ─► exact sums ───────────────────────────────┐
//! samples ─► observed spans, by transaction and day ─┐ shares         ├─► sums by signature and minute
//! breakdown ─► time of each kind ────────────────────┴─► divided time ┘
//! ```
//!
//! Agents for Python and Ruby, and OpenTelemetry, send the spans of all transactions, whose sums are exact. Other agents send
//! those of sampled transactions, and the time by kind of all. The time of a transaction in a kind is then divided among the
//! signatures that were observed in it, in proportion to their times: those of the same body, or else those of the latest
//! days.
//!
//! The numbers of signatures of an app, and of those that are remembered of a transaction and day, have caps. The signatures beyond them
//! share a row of their kind, which has their part of the time.

mod divided;
mod family;
mod names;
mod observed;
mod rows;
mod sum;

#[cfg(test)]
mod tests;

use super::engine::Connection;
use super::error::StoreError;
use super::marks::AppMarks;
use super::notes::NewNotes;
use super::transactions::TransactionIds;
use names::Others;

pub(crate) use family::SpanFamily;
pub(crate) use names::OTHER_SPANS;
pub(super) use names::candidates as ids_of_span;
pub(super) use observed::Observed;

/// The days for which callers are kept, and signatures that nobody sends any more.
pub(super) const KEPT_DAYS: i64 = 90;

/// Adds the observed spans to their callers, and divides the time of which a body has no span among those. `day` is today, in days
/// since 1970.
pub(super) fn write(
    connection: &mut Connection,
    ids: &TransactionIds,
    marks: &AppMarks,
    observed: &Observed,
    day: i64,
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let mut others = Others::new(day);
    let names = names::write(connection, observed, day, &mut others, notes)?;
    rows::write_callers(connection, ids, &names, observed, &mut others)?;
    let sums = divided::divide_rest(connection, ids, &names, observed, day)?;
    rows::write_sums(connection, marks, &sums)
}

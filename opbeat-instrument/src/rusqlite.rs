//! Spans of rusqlite's statements.
//!
//! Observe each connection once, after it is opened:
//!
//! ```
//! # use rusqlite::Connection;
//! let mut connection = Connection::open_in_memory()?;
//! opbeat_instrument::rusqlite::observe(&mut connection);
//! # Ok::<(), rusqlite::Error>(())
//! ```
//!
//! A span contains the statement with placeholders; values are never part of it. SQLite reports a statement when it
//! ends: after its last row, or when its rows are dropped. SQLite reports no errors of statements here.

use std::cell::Cell;
use std::time::{Duration, Instant};

use opbeat_core::instrument::{FinishedSpan, Position};
use opbeat_core::record::Value;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::database::SQLITE;
use crate::sql::Statement;

/// SQLite measures in whole milliseconds, so that a statement can seem to begin this much before it did.
const RESOLUTION: Duration = Duration::from_millis(1);

thread_local! {
    /// The end of the last statement of this thread.
    static LAST_END: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Records the statements of a connection.
///
/// SQLite has one trace callback per connection, which this one replaces.
#[expect(clippy::let_unit_value, reason = "rusqlite 0.39 and 0.40 return nothing, and later versions a result")]
pub fn observe(connection: &mut Connection) {
    // SQLite does not fail with a valid mask.
    let _ = connection.trace_v2(TraceEventCodes::SQLITE_TRACE_PROFILE, Some(record));
}

fn record(event: TraceEvent<'_>) {
    if let TraceEvent::Profile(statement, took) = event
        && let Some(position) = Position::current()
    {
        // The text has placeholders. The other text that SQLite offers has values.
        let statement = Statement::of(&statement.sql());
        let span = FinishedSpan::new(statement.signature(), SQLITE.kind_of(&statement), after_the_last(took)).leaf();
        position.record(span.extra("sql", Value::Text(statement.text())));
        LAST_END.set(Some(Instant::now()));
    }
}

/// Returns the time of a statement that ends now, without the part by which it seems to overlap with the one before.
///
/// A longer overlap is real: rows of a query can be read while other statements run.
fn after_the_last(took: Duration) -> Duration {
    let since = LAST_END.get().map(|end| end.elapsed());
    since.filter(|since| *since < took && took - *since <= RESOLUTION).unwrap_or(took)
}

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

use opbeat_core::instrument::{FinishedSpan, Position};
use opbeat_core::record::Value;
use rusqlite::Connection;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::database::SQLITE;
use crate::sql::Statement;

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
        let span = FinishedSpan::new(statement.signature(), SQLITE.kind_of(&statement), took).leaf();
        position.record(span.extra("sql", Value::Text(statement.text())));
    }
}

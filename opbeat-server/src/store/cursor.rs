//! The cursor: the worker's position in the queue.

use super::database::Store;
use super::engine::{Connection, Engine, Row, query};
use super::error::StoreError;
use crate::queue::{Mark, Position};

/// The queue's name. There is one queue today.
const QUEUE: &str = "intake";

/// The lock of PostgreSQL that a process holds while it moves the cursor: any number that no other program uses.
const CURSOR_LOCK: i64 = 0x6f70_6265_6177;

impl Store {
    /// Returns the position up to which the queue has been stored.
    pub(crate) async fn queue_position(&self) -> Result<Position, StoreError> {
        // Waits for a transaction of an earlier run that PostgreSQL may still commit.
        self.write(|connection| Ok(read(connection)?.unwrap_or_default())).await
    }
}

/// Returns the cursor. No other process moves it until the end of the transaction.
fn read(connection: &mut Connection) -> Result<Option<Position>, StoreError> {
    if connection.engine() == Engine::Postgres {
        connection.batch(&format!("SELECT pg_advisory_xact_lock({CURSOR_LOCK})"))?;
    }
    let row = query("SELECT segment, position FROM queue_cursor WHERE queue = ?").bind(QUEUE);
    let Some(row) = row.fetch_optional(connection)? else { return Ok(None) };
    let number =
        |row: &Row<'_>, column: &str| row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or(0));
    Ok(Some(Position { segment: number(&row, "segment")?, offset: number(&row, "position")? }))
}

/// Returns whether a batch is stored already: its transaction was committed, and the answer was lost with the
/// connection. The ids of records without positions are looked up one by one.
pub(super) fn is_stored(connection: &mut Connection, mark: Mark) -> Result<bool, StoreError> {
    match mark {
        Mark::Position(next) => Ok(read(connection)? == Some(next)),
        Mark::Records => Ok(false),
    }
}

/// Sets the cursor: the position in the queue up to which all bodies are stored.
pub(super) fn set(connection: &mut Connection, position: Position) -> Result<(), StoreError> {
    query(
        "INSERT INTO queue_cursor (queue, segment, position) VALUES (?, ?, ?)
         ON CONFLICT (queue) DO UPDATE SET segment = excluded.segment, position = excluded.position",
    )
    .bind(QUEUE)
    .bind(i64::try_from(position.segment).unwrap_or(i64::MAX))
    .bind(i64::try_from(position.offset).unwrap_or(i64::MAX))
    .execute(connection)?;
    Ok(())
}

//! The cursor: the worker's position in the queue.

use super::database::Store;
use super::engine::{Connection, Row, query};
use super::error::StoreError;
use crate::queue::Position;

/// The queue's name. There is one queue today.
const QUEUE: &str = "intake";

impl Store {
    /// Returns the position up to which the queue has been stored.
    pub(crate) async fn queue_position(&self) -> Result<Position, StoreError> {
        let row = query("SELECT segment, position FROM queue_cursor WHERE queue = ?")
            .bind(QUEUE)
            .read_optional(&self.writer)
            .await?;
        let number = |row: &Row<'_>, column: &str| {
            row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or(0))
        };
        match row {
            Some(row) => Ok(Position { segment: number(&row, "segment")?, offset: number(&row, "position")? }),
            None => Ok(Position::default()),
        }
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

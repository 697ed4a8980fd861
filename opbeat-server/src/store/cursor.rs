//! Cursors: the positions of workers in the queues on the disks of their machines.

use super::database::Store;
use super::engine::{Connection, Row, query};
use super::error::StoreError;
use super::locks::{Lock, wait_for};
use crate::queue::{Mark, Position, QueueId};

impl Store {
    /// Returns the position up to which a queue has been stored.
    pub(crate) async fn queue_position(&self, queue: QueueId) -> Result<Position, StoreError> {
        // Waits for a transaction of an earlier run that PostgreSQL may still commit.
        self.write(move |connection| Ok(read(connection, queue)?.unwrap_or_default())).await
    }
}

/// Returns the cursor of a queue. No other process moves it until the end of the transaction.
fn read(connection: &mut Connection, queue: QueueId) -> Result<Option<Position>, StoreError> {
    wait_for(connection, Lock::Cursor)?;
    let row = query("SELECT segment, position FROM queue_cursor WHERE queue = ?").bind(queue.to_string());
    let Some(row) = row.fetch_optional(connection)? else { return Ok(None) };
    let number =
        |row: &Row<'_>, column: &str| row.try_get::<i64, _>(column).map(|number| u64::try_from(number).unwrap_or(0));
    Ok(Some(Position { segment: number(&row, "segment")?, offset: number(&row, "position")? }))
}

/// Returns whether a batch is stored already: its transaction was committed, and the answer was lost with the
/// connection. The ids of records without positions are looked up one by one.
pub(super) fn is_stored(connection: &mut Connection, mark: Mark) -> Result<bool, StoreError> {
    match mark {
        Mark::Position(queue, next) => Ok(read(connection, queue)? == Some(next)),
        Mark::Records => Ok(false),
    }
}

/// Sets the cursor of a queue: the position up to which all of its bodies are stored.
pub(super) fn set(connection: &mut Connection, queue: QueueId, position: Position) -> Result<(), StoreError> {
    query(
        "INSERT INTO queue_cursor (queue, segment, position) VALUES (?, ?, ?)
         ON CONFLICT (queue) DO UPDATE SET segment = excluded.segment, position = excluded.position",
    )
    .bind(queue.to_string())
    .bind(i64::try_from(position.segment).unwrap_or(i64::MAX))
    .bind(i64::try_from(position.offset).unwrap_or(i64::MAX))
    .execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{ParkedMessage, stores};

    #[tokio::test]
    async fn the_queues_of_two_servers_have_a_cursor_each() {
        for store in stores().await {
            let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
            let [one, other] = folders.each_ref().map(|folder| QueueId::of(folder.path()).unwrap());
            let next = Position { segment: 1, offset: 90 };
            // Both queues reach the same position, with different messages.
            for (queue, message) in [(one, b"books"), (other, b"pens!")] {
                assert_eq!(store.queue_position(queue).await.unwrap(), Position::default());
                for _ in 0..2 {
                    let parked = ParkedMessage { id: None, reason: String::new(), message: message.to_vec() };
                    store.apply(Vec::new(), vec![parked], Mark::Position(queue, next), 0).await.unwrap();
                }
                assert_eq!(store.queue_position(queue).await.unwrap(), next);
            }
            assert_eq!(store.parked(i64::MIN).await.unwrap().len(), 2);
            assert_eq!(store.queue_position(QueueId::default()).await.unwrap(), Position::default());
            store.close().await;
        }
    }
}

//! Parked messages: records of the queue that could not be stored. They are kept until they are replayed.

use sqlx::{Row, SqliteConnection};

use super::apply::apply_one;
use super::database::Store;
use super::error::StoreError;
use crate::changes::BodyChanges;

/// The largest number of messages in a list.
const MAX_ROWS: i64 = 1_000;

/// A parked message without its bytes.
#[derive(Clone, Debug)]
pub(crate) struct ParkedRow {
    /// Its id.
    pub(crate) id: i64,
    /// When it was parked, in microseconds since 1970.
    pub(crate) parked_at: i64,
    /// The reason.
    pub(crate) reason: String,
    /// Its size in bytes.
    pub(crate) bytes: i64,
}

impl Store {
    /// Returns the parked messages, the oldest first, and the number of all.
    pub(crate) async fn parked(&self) -> Result<(Vec<ParkedRow>, i64), StoreError> {
        let rows = sqlx::query(
            "SELECT id, parked_at, reason, length(message) AS bytes FROM parked_messages ORDER BY id LIMIT ?",
        )
        .bind(MAX_ROWS)
        .fetch_all(&self.readers)
        .await?;
        let total = sqlx::query("SELECT count(*) FROM parked_messages").fetch_one(&self.readers).await?.try_get(0)?;
        let row = |row: &sqlx::sqlite::SqliteRow| {
            Ok(ParkedRow {
                id: row.try_get("id")?,
                parked_at: row.try_get("parked_at")?,
                reason: row.try_get("reason")?,
                bytes: row.try_get("bytes")?,
            })
        };
        Ok((rows.iter().map(row).collect::<Result<_, StoreError>>()?, total))
    }

    /// Returns a parked message.
    pub(crate) async fn parked_message(&self, id: i64) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query("SELECT message FROM parked_messages WHERE id = ?").bind(id);
        let row = row.fetch_optional(&self.readers).await?;
        Ok(row.map(|row| row.try_get(0)).transpose()?)
    }

    /// Stores the changes of a parked message, and removes the message, in one transaction.
    pub(crate) async fn replay(&self, id: i64, bodies: &[BodyChanges]) -> Result<(), StoreError> {
        let mut transaction = self.writer.begin_with("BEGIN IMMEDIATE").await?;
        for body in bodies {
            apply_one(&mut transaction, body).await?;
        }
        remove(&mut transaction, id).await?;
        transaction.commit().await?;
        Ok(())
    }
}

async fn remove(connection: &mut SqliteConnection, id: i64) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM parked_messages WHERE id = ?").bind(id).execute(connection).await?;
    Ok(())
}

//! Parked messages: records of the queue that could not be stored. They are kept until they are replayed.

use sqlx::{Connection, Row, SqliteConnection};

use super::apply::{ParkedMessage, apply_one, park, with_sources};
use super::database::Store;
use super::error::{Cause, StoreError};
use crate::changes::BodyChanges;

/// The largest number of messages in a page of the list.
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

/// A record that a parked message contains.
#[derive(Clone, Debug)]
pub(crate) struct ParkedRecord {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// The changes, or the reason why they cannot be read.
    pub(crate) bodies: Result<Vec<BodyChanges>, String>,
}

/// The result of a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// All records are stored.
    Stored,
    /// Some records are stored. The others are parked as messages of their own, for these reasons.
    Partly(Vec<String>),
    /// No record is stored, for this reason. The message stays parked.
    Rejected(String),
    /// There is no such message, or no longer.
    Missing,
}

impl Store {
    /// Returns a page of the parked messages in ascending order of their ids, which are larger than `after`.
    pub(crate) async fn parked(&self, after: i64) -> Result<Vec<ParkedRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, parked_at, reason, length(message) AS bytes FROM parked_messages
             WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(MAX_ROWS)
        .fetch_all(&self.readers)
        .await?;
        let row = |row: &sqlx::sqlite::SqliteRow| {
            Ok(ParkedRow {
                id: row.try_get("id")?,
                parked_at: row.try_get("parked_at")?,
                reason: row.try_get("reason")?,
                bytes: row.try_get("bytes")?,
            })
        };
        rows.iter().map(row).collect()
    }

    /// Stores the records of a parked message that can be stored now, and removes the message, in one transaction, so
    /// that two replays at once count it once. `now` is in microseconds since 1970.
    pub(crate) async fn replay(
        &self,
        id: i64,
        decode: impl FnOnce(&[u8]) -> Vec<ParkedRecord>,
        now: i64,
    ) -> Result<Replayed, StoreError> {
        let mut connection = self.writer.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let removed = sqlx::query("DELETE FROM parked_messages WHERE id = ? RETURNING message").bind(id);
        let Some(row) = removed.fetch_optional(&mut *transaction).await? else { return Ok(Replayed::Missing) };
        let records = decode(row.try_get("message")?);
        let count = records.len();
        let mut rejected = Vec::new();
        for ParkedRecord { bytes, bodies } in records {
            if let Err(reason) = store_record(&mut transaction, bodies).await? {
                rejected.push(ParkedMessage { id: None, reason, message: bytes });
            }
        }
        if let Some(first) = rejected.first().filter(|_| rejected.len() == count) {
            transaction.rollback().await?;
            return Ok(Replayed::Rejected(first.reason.clone()));
        }
        for message in &rejected {
            park(&mut transaction, message, now).await?;
        }
        transaction.commit().await?;
        let reasons: Vec<String> = rejected.into_iter().map(|message| message.reason).collect();
        Ok(if reasons.is_empty() { Replayed::Stored } else { Replayed::Partly(reasons) })
    }
}

/// Stores the changes of a record, all or none. Returns the reason if they are rejected.
async fn store_record(
    connection: &mut SqliteConnection,
    bodies: Result<Vec<BodyChanges>, String>,
) -> Result<Result<(), String>, StoreError> {
    let bodies = match bodies {
        Ok(bodies) => bodies,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut savepoint = connection.begin().await?;
    for body in &bodies {
        match apply_one(&mut savepoint, body).await {
            Ok(()) => {}
            Err(error) if error.cause() == Cause::Outage => return Err(error),
            Err(error) => {
                savepoint.rollback().await?;
                return Ok(Err(with_sources(&error)));
            }
        }
    }
    savepoint.commit().await?;
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Mark, Position};

    #[tokio::test]
    async fn of_two_replays_at_once_one_stores_the_message() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.sqlite");
        let one = Store::open(&file, Store::TIME_LIMIT).await.unwrap();
        let other = Store::open(&file, Store::TIME_LIMIT).await.unwrap();
        for _ in 0..10 {
            let parked = [ParkedMessage { id: None, reason: "no books".to_owned(), message: b"books".to_vec() }];
            one.apply(Vec::new(), &parked, &Mark::Position(Position::default()), 0).await.unwrap();
            let id = one.parked(i64::MIN).await.unwrap()[0].id;
            let decode = |bytes: &[u8]| vec![ParkedRecord { bytes: bytes.to_vec(), bodies: Ok(Vec::new()) }];
            let replays = tokio::join!(one.replay(id, decode, 0), other.replay(id, decode, 0));
            let results = [replays.0.unwrap(), replays.1.unwrap()];
            assert!(results.contains(&Replayed::Stored) && results.contains(&Replayed::Missing), "{results:?}");
        }
        one.close().await;
        other.close().await;
    }
}

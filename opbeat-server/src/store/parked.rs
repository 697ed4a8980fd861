//! Parked messages: records of the queue that could not be stored. They are kept until they are replayed.

use super::apply::{ParkedMessage, apply_one, park, with_sources};
use super::database::Store;
use super::engine::{Connection, Row, query};
use super::error::{Cause, StoreError};
use super::locks::lock_apps;
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
        let rows = query(
            "SELECT id, parked_at, reason, CAST(length(message) AS BIGINT) AS bytes FROM parked_messages
             WHERE id > ? ORDER BY id LIMIT ?",
        )
        .bind(after)
        .bind(MAX_ROWS)
        .read_all(&self.readers)
        .await?;
        let row = |row: &Row<'_>| {
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
        decode: impl FnOnce(&[u8]) -> Vec<ParkedRecord> + Send + 'static,
        now: i64,
    ) -> Result<Replayed, StoreError> {
        let replay = move |connection: &mut Connection| {
            let removed = query("DELETE FROM parked_messages WHERE id = ? RETURNING message").bind(id);
            let Some(row) = removed.fetch_optional(connection)? else { return Ok(Replayed::Missing) };
            let records = decode(row.try_get("message")?);
            let count = records.len();
            lock_apps(connection, records.iter().filter_map(|record| record.bodies.as_ref().ok()).flatten())?;
            let mut rejected = Vec::new();
            for ParkedRecord { bytes, bodies } in records {
                if let Err(reason) = store_record(connection, bodies, now)? {
                    rejected.push(ParkedMessage { id: None, reason, message: bytes });
                }
            }
            if let Some(first) = rejected.first().filter(|_| rejected.len() == count) {
                return Err(Undone::Rejected(first.reason.clone()));
            }
            for message in &rejected {
                park(connection, message, now)?;
            }
            let reasons: Vec<String> = rejected.into_iter().map(|message| message.reason).collect();
            Ok(if reasons.is_empty() { Replayed::Stored } else { Replayed::Partly(reasons) })
        };
        match self.writer.run(|connection| connection.transaction(replay)).await {
            Ok(replayed) => Ok(replayed),
            Err(Undone::Rejected(reason)) => Ok(Replayed::Rejected(reason)),
            Err(Undone::Failed(error)) => Err(error),
        }
    }
}

/// A transaction that was rolled back.
enum Undone {
    /// The database rejects all records, for this reason.
    Rejected(String),
    /// The database failed.
    Failed(StoreError),
}

impl<E: Into<StoreError>> From<E> for Undone {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Stores the changes of a record, all or none. Returns the reason if they are rejected.
fn store_record(
    connection: &mut Connection,
    bodies: Result<Vec<BodyChanges>, String>,
    now: i64,
) -> Result<Result<(), String>, StoreError> {
    let bodies = match bodies {
        Ok(bodies) => bodies,
        Err(reason) => return Ok(Err(reason)),
    };
    match connection.savepoint(|connection| bodies.iter().try_for_each(|body| apply_one(connection, body, now))) {
        Ok(()) => Ok(Ok(())),
        Err(error) if error.cause() == Cause::Outage => Err(error),
        Err(error) => Ok(Err(with_sources(&error))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::{Mark, Position, QueueId};
    use crate::store::stores;

    #[tokio::test]
    async fn of_two_replays_at_once_one_stores_the_message() {
        for store in stores().await {
            assert_one_replays(&store, &store.open_again().await).await;
        }
    }

    async fn assert_one_replays(one: &Store, other: &Store) {
        for offset in 1..=10 {
            let parked = [ParkedMessage { id: None, reason: "no books".to_owned(), message: b"books".to_vec() }];
            let mark = Mark::Position(QueueId::default(), Position { segment: 1, offset });
            one.apply(Vec::new(), parked.to_vec(), mark, 0).await.unwrap();
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

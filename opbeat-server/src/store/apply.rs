//! Stores the changes of records and their mark in the queue, in one transaction of the database.

use sqlx::{Connection, SqliteConnection};

use super::database::Store;
use super::error::{Cause, StoreError};
use super::{check_ins, cursor, deployments, errors, notes, releases, rollups, samples, traces};
use crate::changes::{self, BodyChanges, Changes};
use crate::queue::{Mark, RecordId};

/// A message that cannot be stored, and is set aside.
#[derive(Clone, Debug)]
pub(crate) struct ParkedMessage {
    /// The id of the record that it is. If that was stored before, it is not set aside.
    pub(crate) id: Option<RecordId>,
    /// Why it cannot be stored.
    pub(crate) reason: String,
    /// The unchanged record of the queue.
    pub(crate) message: Vec<u8>,
}

/// The changes that a record of the queue contains.
#[derive(Clone, Debug)]
pub(crate) struct StoredRecord {
    /// The id of the record, if the queue may deliver it again.
    pub(crate) id: Option<RecordId>,
    /// The changes of each of its bodies.
    pub(crate) bodies: Vec<BodyChanges>,
}

impl Store {
    /// Stores the changes of records, sets messages aside, and writes the mark, in one transaction.
    ///
    /// A record whose id was stored before changes nothing. A body with an idempotency key that was stored before changes nothing. After an error, nothing is stored.
    pub(crate) async fn apply(
        &self,
        records: Vec<StoredRecord>,
        parked: &[ParkedMessage],
        mark: &Mark,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await?;
        // Takes the write lock at once, so that no other process writes between our reads and our writes.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut changes = Changes::default();
        for record in records {
            if !is_new_record(&mut transaction, record.id, now).await? {
                continue;
            }
            for body in record.bodies {
                if is_new(&mut transaction, &body).await? {
                    changes.merge(body.changes);
                }
            }
        }
        write(&mut transaction, changes).await?;
        finish(&mut transaction, parked, mark, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Stores the changes of each body by itself, and sets those aside that the database rejects. Writes the mark in
    /// the same transaction.
    ///
    /// Returns the reasons of the rejections. If `is_last_attempt`, errors with an unknown cause count as rejections.
    pub(crate) async fn apply_each(
        &self,
        records: Vec<StoredRecord>,
        mut parked: Vec<ParkedMessage>,
        mark: &Mark,
        now: i64,
        is_last_attempt: bool,
    ) -> Result<Vec<String>, StoreError> {
        let mut reasons = Vec::new();
        let mut connection = self.writer.acquire().await?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let mut bodies = Vec::new();
        for record in records {
            if is_new_record(&mut transaction, record.id, now).await? {
                bodies.extend(record.bodies);
            }
        }
        for body in bodies {
            let mut savepoint = transaction.begin().await?;
            match apply_one(&mut savepoint, &body).await {
                Ok(()) => savepoint.commit().await?,
                Err(error) if error.cause() == Cause::Data || is_last_attempt && error.cause() == Cause::Unknown => {
                    savepoint.rollback().await?;
                    let reason = with_sources(&error);
                    reasons.push(reason.clone());
                    parked.push(ParkedMessage { id: None, reason, message: changes::encode(&[body]) });
                }
                Err(error) => return Err(error),
            }
        }
        finish(&mut transaction, &parked, mark, now).await?;
        transaction.commit().await?;
        Ok(reasons)
    }
}

/// Stores the changes of a body, unless they were stored before.
pub(super) async fn apply_one(connection: &mut SqliteConnection, body: &BodyChanges) -> Result<(), StoreError> {
    if is_new(connection, body).await? {
        write(connection, body.changes.clone()).await?;
    }
    Ok(())
}

/// Sets messages aside, and moves the cursor.
async fn finish(
    connection: &mut SqliteConnection,
    parked: &[ParkedMessage],
    mark: &Mark,
    now: i64,
) -> Result<(), StoreError> {
    for message in parked {
        if is_new_record(connection, message.id, now).await? {
            park(connection, message, now).await?;
        }
    }
    match mark {
        Mark::Position(position) => cursor::set(connection, *position).await,
        // The ids of the records are their marks.
        Mark::Records => Ok(()),
    }
}

/// Returns whether a record was not stored before, and remembers its id. A record without an id is always new.
async fn is_new_record(connection: &mut SqliteConnection, id: Option<RecordId>, now: i64) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(true) };
    let inserted = sqlx::query("INSERT INTO stored_records (id, stored_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING")
        .bind(id.as_slice())
        .bind(now)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Returns an error's text with those of its sources.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let texts = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}

/// Returns whether a body was not stored before, and remembers its idempotency key.
async fn is_new(connection: &mut SqliteConnection, body: &BodyChanges) -> Result<bool, StoreError> {
    Ok(body.idempotency_key.is_empty() || remember_key(connection, body).await?)
}

/// Stores a body's idempotency key. Returns whether it is new.
async fn remember_key(connection: &mut SqliteConnection, body: &BodyChanges) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT OR IGNORE INTO stored_bodies (app_id, key, stored_at)
         SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM stored_bodies WHERE app_id = ?1 AND key = ?4)",
    )
    .bind(&body.app_id)
    .bind(&body.idempotency_key)
    .bind(body.received_at)
    .bind(bare_key(&body.idempotency_key))
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Returns a key as the earlier version of the server stored it: without its endpoint. Those keys are kept for a day.
///
/// Returns `None` for a key that today's keys with an endpoint can equal.
fn bare_key(key: &str) -> Option<&str> {
    let endpoint_of = |key: &str| ["errors:", "transactions:"].into_iter().find(|prefix| key.starts_with(prefix));
    let bare = key.get(endpoint_of(key)?.len()..)?;
    endpoint_of(bare).is_none().then_some(bare)
}

async fn write(connection: &mut SqliteConnection, mut changes: Changes) -> Result<(), StoreError> {
    traces::join(connection, &mut changes).await?;
    let ids = rollups::write_transactions(connection, &changes).await?;
    rollups::write(connection, &ids, &changes.rollups).await?;
    rollups::write_breakdowns(connection, &ids, &changes.breakdowns).await?;
    rollups::write_drops(connection, &changes.drops).await?;
    // Before the samples, of which those are kept that an error refers to.
    errors::write(connection, &changes.errors).await?;
    samples::write(connection, &ids, &changes.samples).await?;
    samples::write_span_stacks(connection, &changes.span_stacks).await?;
    notes::write(connection, &changes.notes).await?;
    releases::write(connection, &changes.releases).await?;
    deployments::write(connection, &changes.deployments).await?;
    check_ins::write(connection, &changes.check_ins).await
}

/// Sets a message aside.
pub(super) async fn park(
    connection: &mut SqliteConnection,
    parked: &ParkedMessage,
    now: i64,
) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO parked_messages (parked_at, reason, message) VALUES (?, ?, ?)")
        .bind(now)
        .bind(&parked.reason)
        .bind(&parked.message)
        .execute(connection)
        .await?;
    Ok(())
}

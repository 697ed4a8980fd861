//! Stores the changes of bodies and the position in the queue, in one transaction of the database.

use sqlx::{Connection, SqliteConnection};

use super::database::Store;
use super::error::StoreError;
use super::{cursor, deployments, errors, releases, rollups, samples};
use crate::changes::{BodyChanges, Changes};
use crate::queue::Position;

/// A message that cannot be stored, and is set aside.
#[derive(Clone, Debug)]
pub(crate) struct ParkedMessage {
    /// Why it cannot be stored.
    pub(crate) reason: String,
    /// The unchanged record of the queue.
    pub(crate) message: Vec<u8>,
}

impl Store {
    /// Stores the changes of bodies, sets messages aside, and moves the cursor, in one transaction.
    ///
    /// A body with an idempotency key that was stored before changes nothing. After an error, nothing is stored.
    pub(crate) async fn apply(
        &self,
        bodies: &[BodyChanges],
        parked: &[ParkedMessage],
        next: Position,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await?;
        // Takes the write lock at once, so that no other process writes between our reads and our writes.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let changes = merge_new(&mut transaction, bodies).await?;
        write(&mut transaction, &changes).await?;
        for message in parked {
            park(&mut transaction, message, now).await?;
        }
        cursor::set(&mut transaction, next).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Tries whether the database accepts the changes of a body, and rolls them back.
    pub(crate) async fn try_apply(&self, body: &BodyChanges) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await?;
        // Takes the write lock at once, as `apply` does.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let tried = write(&mut transaction, &body.changes).await;
        transaction.rollback().await?;
        tried
    }
}

/// Adds up the changes of the bodies that have not been stored before.
async fn merge_new(connection: &mut SqliteConnection, bodies: &[BodyChanges]) -> Result<Changes, StoreError> {
    let mut all = Changes::default();
    for body in bodies {
        if body.idempotency_key.is_empty() || remember_key(connection, body).await? {
            all.merge(body.changes.clone());
        }
    }
    Ok(all)
}

/// Stores a body's idempotency key. Returns whether it is new.
async fn remember_key(connection: &mut SqliteConnection, body: &BodyChanges) -> Result<bool, StoreError> {
    let inserted = sqlx::query("INSERT OR IGNORE INTO stored_bodies (app_id, key, stored_at) VALUES (?, ?, ?)")
        .bind(&body.app_id)
        .bind(&body.idempotency_key)
        .bind(body.received_at)
        .execute(connection)
        .await?;
    Ok(inserted.rows_affected() > 0)
}

async fn write(connection: &mut SqliteConnection, changes: &Changes) -> Result<(), StoreError> {
    let ids = rollups::write_transactions(connection, changes).await?;
    rollups::write(connection, &ids, &changes.rollups).await?;
    rollups::write_breakdowns(connection, &ids, &changes.breakdowns).await?;
    rollups::write_drops(connection, &changes.drops).await?;
    samples::write(connection, &ids, &changes.samples).await?;
    samples::write_span_stacks(connection, &changes.span_stacks).await?;
    errors::write(connection, &changes.errors).await?;
    releases::write(connection, &changes.releases).await?;
    deployments::write(connection, &changes.deployments).await
}

async fn park(connection: &mut SqliteConnection, parked: &ParkedMessage, now: i64) -> Result<(), StoreError> {
    sqlx::query("INSERT INTO parked_messages (parked_at, reason, message) VALUES (?, ?, ?)")
        .bind(now)
        .bind(&parked.reason)
        .bind(&parked.message)
        .execute(connection)
        .await?;
    Ok(())
}

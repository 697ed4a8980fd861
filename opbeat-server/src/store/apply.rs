//! One transaction of the database: what bodies change, and how far the queue is read.

use sqlx::{Connection, SqliteConnection};

use super::{Changes, Store, StoreError, cursor, errors, losses, rollups, samples, span_stacks};
use crate::queue::Position;

/// What one queued body changes.
#[derive(Clone, Debug)]
pub struct BodyChanges {
    /// The app's id.
    pub app_id: String,
    /// The body's idempotency key, or an empty string.
    pub idempotency_key: String,
    /// When it was received, in microseconds since 1970.
    pub received_at: i64,
    /// What it changes.
    pub changes: Changes,
}

/// A body that was not stored.
#[derive(Clone, Debug)]
pub struct ParkedMessage {
    /// Why.
    pub reason: String,
    /// The queue's record as it was.
    pub message: Vec<u8>,
}

impl Store {
    /// Stores what bodies change, sets messages aside, and moves the cursor, all at once or not at all.
    ///
    /// A body whose idempotency key was stored before changes nothing.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database refuses; then nothing is stored.
    pub async fn apply(
        &self,
        bodies: &[BodyChanges],
        parked: &[ParkedMessage],
        next: Position,
        now: i64,
    ) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await?;
        // At once a writer, so that nobody else writes between what is read and what is written.
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
}

impl Store {
    /// Tries whether the database takes what a body changes, and leaves no trace of it.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database refuses.
    pub async fn try_apply(&self, body: &BodyChanges) -> Result<(), StoreError> {
        let mut connection = self.writer.acquire().await?;
        // At once a writer, so that nobody else writes between what is read and what is written.
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        let tried = write(&mut transaction, &body.changes).await;
        transaction.rollback().await?;
        tried
    }
}

/// Adds up what the bodies change that have not been stored before.
async fn merge_new(connection: &mut SqliteConnection, bodies: &[BodyChanges]) -> Result<Changes, StoreError> {
    let mut all = Changes::default();
    for body in bodies {
        if body.idempotency_key.is_empty() || note(connection, body).await? {
            all.merge(body.changes.clone());
        }
    }
    Ok(all)
}

/// Notes a body's key. Returns whether it is new.
async fn note(connection: &mut SqliteConnection, body: &BodyChanges) -> Result<bool, StoreError> {
    let noted = sqlx::query("INSERT OR IGNORE INTO stored_bodies (app_id, key, stored_at) VALUES (?, ?, ?)")
        .bind(&body.app_id)
        .bind(&body.idempotency_key)
        .bind(body.received_at)
        .execute(connection)
        .await?;
    Ok(noted.rows_affected() > 0)
}

async fn write(connection: &mut SqliteConnection, changes: &Changes) -> Result<(), StoreError> {
    let ids = rollups::write_transactions(connection, changes).await?;
    rollups::write(connection, &ids, &changes.rollups).await?;
    rollups::write_breakdowns(connection, &ids, &changes.breakdowns).await?;
    samples::write(connection, &ids, &changes.samples).await?;
    span_stacks::write(connection, &changes.span_stacks).await?;
    errors::write(connection, &changes.errors).await?;
    losses::write(connection, &changes.losses).await
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

//! Stores the changes of records, and what of the queue is stored, in one transaction of the database.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::database::Store;
use super::engine::{Connection, Engine, Value, query};
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

/// A record of the queue, as the changes of its bodies.
#[derive(Clone, Debug, Default)]
pub(crate) struct StoredRecord {
    /// Its id, if the queue may deliver it more than once.
    pub(crate) id: Option<RecordId>,
    /// The changes.
    pub(crate) bodies: Vec<BodyChanges>,
}

impl Store {
    /// Stores the changes of records, sets messages aside, and remembers what of the queue is stored, in one transaction.
    ///
    /// A record whose id was stored before changes nothing, and neither does a body whose idempotency key was. After an
    /// error, nothing is stored.
    pub(crate) async fn apply(
        &self,
        records: Vec<StoredRecord>,
        parked: Vec<ParkedMessage>,
        mark: Mark,
        now: i64,
    ) -> Result<(), StoreError> {
        self.write(move |connection| {
            let records = begin(connection, records, now)?;
            let mut changes = Changes::default();
            for body in records.into_iter().flat_map(|record| record.bodies) {
                if is_new(connection, &body)? {
                    changes.merge(body.changes);
                }
            }
            write(connection, changes)?;
            finish(connection, &parked, mark, now)
        })
        .await
    }

    /// Stores the changes of each body by itself, and sets those aside that the database rejects. Remembers what of the
    /// queue is stored in the same transaction.
    ///
    /// Returns the reasons of the rejections. If `is_last_attempt`, errors with an unknown cause count as rejections.
    pub(crate) async fn apply_each(
        &self,
        records: Vec<StoredRecord>,
        mut parked: Vec<ParkedMessage>,
        mark: Mark,
        now: i64,
        is_last_attempt: bool,
    ) -> Result<Vec<String>, StoreError> {
        self.write(move |connection| {
            let mut reasons = Vec::new();
            for body in begin(connection, records, now)?.into_iter().flat_map(|record| record.bodies) {
                let stored = connection.savepoint(|connection| apply_one(connection, &body));
                match stored {
                    Ok(()) => {}
                    Err(error)
                        if error.cause() == Cause::Data || is_last_attempt && error.cause() == Cause::Unknown =>
                    {
                        let reason = with_sources(&error);
                        reasons.push(reason.clone());
                        parked.push(ParkedMessage { id: None, reason, message: changes::encode(&[body]) });
                    }
                    Err(error) => return Err(error),
                }
            }
            finish(connection, &parked, mark, now)?;
            Ok(reasons)
        })
        .await
    }
}

/// Returns the records that were not stored before, and remembers their ids.
fn begin(connection: &mut Connection, records: Vec<StoredRecord>, now: i64) -> Result<Vec<StoredRecord>, StoreError> {
    lock_apps(connection, &records)?;
    let mut new = Vec::with_capacity(records.len());
    for record in records {
        if is_new_record(connection, record.id, now)? {
            new.push(record);
        }
    }
    Ok(new)
}

/// Returns whether a record was not stored before, and remembers its id. A record without an id is always new.
fn is_new_record(connection: &mut Connection, id: Option<RecordId>, now: i64) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(true) };
    let insert = query("INSERT INTO stored_records (id, stored_at) VALUES (?, ?) ON CONFLICT DO NOTHING");
    Ok(insert.bind(&id).bind(now).execute(connection)? > 0)
}

/// Lets the workers of PostgreSQL store the data of one app one after the other, in the same order of apps, so that none
/// waits for another that waits for it. SQLite has one writer anyway.
fn lock_apps(connection: &mut Connection, records: &[StoredRecord]) -> Result<(), StoreError> {
    if connection.engine() == Engine::Sqlite {
        return Ok(());
    }
    let bodies = records.iter().flat_map(|record| &record.bodies);
    let apps: BTreeSet<&str> = bodies.map(|body| body.app_id.as_str()).collect();
    let locks: BTreeSet<i64> = apps.into_iter().map(lock_of).collect();
    let locks: Vec<_> = locks.into_iter().map(|lock| vec![Value::from(lock)]).collect();
    connection.rows_many("SELECT 1 FROM (SELECT pg_advisory_xact_lock(?)) AS locked", &locks)?;
    Ok(())
}

/// Returns the lock of an app. Two apps with the same lock only wait for each other.
fn lock_of(app_id: &str) -> i64 {
    let digest = Sha256::digest(app_id.as_bytes());
    i64::from_le_bytes(std::array::from_fn(|index| digest[index]))
}

/// Stores the changes of a body, unless they were stored before.
pub(super) fn apply_one(connection: &mut Connection, body: &BodyChanges) -> Result<(), StoreError> {
    if is_new(connection, body)? {
        write(connection, body.changes.clone())?;
    }
    Ok(())
}

/// Sets messages aside, and moves the cursor of a queue with positions.
fn finish(connection: &mut Connection, parked: &[ParkedMessage], mark: Mark, now: i64) -> Result<(), StoreError> {
    for message in parked {
        if is_new_record(connection, message.id, now)? {
            park(connection, message, now)?;
        }
    }
    match mark {
        Mark::Position(next) => cursor::set(connection, next),
        Mark::Records => Ok(()),
    }
}

/// Returns an error's text with those of its sources.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let texts = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}

/// Returns whether a body was not stored before, and remembers its idempotency key.
fn is_new(connection: &mut Connection, body: &BodyChanges) -> Result<bool, StoreError> {
    Ok(body.idempotency_key.is_empty() || remember_key(connection, body)?)
}

/// Stores a body's idempotency key. Returns whether it is new.
fn remember_key(connection: &mut Connection, body: &BodyChanges) -> Result<bool, StoreError> {
    let inserted = query(
        "INSERT OR IGNORE INTO stored_bodies (app_id, key, stored_at)
         SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM stored_bodies WHERE app_id = ?1 AND key = ?4)",
    )
    .bind(&body.app_id)
    .bind(&body.idempotency_key)
    .bind(body.received_at)
    .bind(bare_key(&body.idempotency_key))
    .execute(connection)?;
    Ok(inserted > 0)
}

/// Returns a key as the earlier version of the server stored it: without its endpoint. Those keys are kept for a day.
///
/// Returns `None` for a key that today's keys with an endpoint can equal.
fn bare_key(key: &str) -> Option<&str> {
    let endpoint_of = |key: &str| ["errors:", "transactions:"].into_iter().find(|prefix| key.starts_with(prefix));
    let bare = key.get(endpoint_of(key)?.len()..)?;
    endpoint_of(bare).is_none().then_some(bare)
}

fn write(connection: &mut Connection, mut changes: Changes) -> Result<(), StoreError> {
    traces::join(connection, &mut changes)?;
    let ids = rollups::write_transactions(connection, &changes)?;
    rollups::write(connection, &ids, &changes.rollups)?;
    rollups::write_breakdowns(connection, &ids, &changes.breakdowns)?;
    rollups::write_drops(connection, &changes.drops)?;
    // Before the samples, of which those are kept that an error refers to.
    errors::write(connection, &changes.errors)?;
    samples::write(connection, &ids, &changes.samples)?;
    samples::write_span_stacks(connection, &changes.span_stacks)?;
    notes::write(connection, &changes.notes)?;
    releases::write(connection, &changes.releases)?;
    deployments::write(connection, &changes.deployments)?;
    check_ins::write(connection, &changes.check_ins)
}

/// Sets a message aside.
pub(super) fn park(connection: &mut Connection, parked: &ParkedMessage, now: i64) -> Result<(), StoreError> {
    query("INSERT INTO parked_messages (parked_at, reason, message) VALUES (?, ?, ?)")
        .bind(now)
        .bind(&parked.reason)
        .bind(&parked.message)
        .execute(connection)?;
    Ok(())
}

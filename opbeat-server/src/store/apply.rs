//! Stores the changes of records, and what of the queue is stored, in one transaction of the database.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::database::Store;
use super::engine::{self, Connection, Kind, Value, query};
use super::error::{Cause, StoreError};
use super::locks::lock_apps;
use super::marks::AppMarks;
use super::notes::NewNotes;
use super::usage::DailyUsage;
use super::{
    check_ins, cursor, day_of, deployments, errors, notes, releases, rollups, samples, span_stacks, spans, traces,
    transactions, usage, values,
};
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
            if cursor::is_stored(connection, mark)? {
                return Ok(());
            }
            let records = begin(connection, records, now)?;
            let bodies: Vec<BodyChanges> = records.into_iter().flat_map(|record| record.bodies).collect();
            let are_new = are_new(connection, &bodies)?;
            let mut changes = Changes::default();
            let mut observed = spans::Observed::default();
            let mut usage = DailyUsage::default();
            for (body, _) in bodies.into_iter().zip(are_new).filter(|(_, is_new)| *is_new) {
                usage.add(&body);
                observed.add_body(&body.changes);
                changes.merge(body.changes);
            }
            write(connection, changes, observed, now)?;
            usage::write(connection, &usage)?;
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
            if cursor::is_stored(connection, mark)? {
                return Ok(reasons);
            }
            for body in begin(connection, records, now)?.into_iter().flat_map(|record| record.bodies) {
                let stored = connection.savepoint(|connection| apply_one_or_catch(connection, &body, now));
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
    lock_apps(connection, records.iter().flat_map(|record| &record.bodies))?;
    let row = |id: &RecordId| vec![Value::from(id.to_vec()), now.into()];
    let inserted = connection.execute_many(
        "INSERT INTO stored_records (id, stored_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        &records.iter().filter_map(|record| record.id.as_ref()).map(row).collect::<Vec<_>>(),
    )?;
    let mut inserted = inserted.iter().map(|count| *count > 0);
    let mut is_new = |record: &StoredRecord| record.id.is_none() || inserted.next().unwrap_or(false);
    Ok(records.into_iter().filter(|record| is_new(record)).collect())
}

/// Returns whether a record was not stored before, and remembers its id. A record without an id is always new.
fn is_new_record(connection: &mut Connection, id: Option<RecordId>, now: i64) -> Result<bool, StoreError> {
    let Some(id) = id else { return Ok(true) };
    let insert = query("INSERT INTO stored_records (id, stored_at) VALUES (?, ?) ON CONFLICT DO NOTHING");
    Ok(insert.bind(&id).bind(now).execute(connection)? > 0)
}

/// Does the same as [`apply_one`]. A panic becomes an error, so that one body cannot stop all others.
fn apply_one_or_catch(connection: &mut Connection, body: &BodyChanges, now: i64) -> Result<(), StoreError> {
    catch_unwind(AssertUnwindSafe(|| apply_one(connection, body, now))).unwrap_or_else(|_| {
        let message = "the server panicked while it stored the body; please report this";
        Err(engine::Error::new(Kind::Unknown, message).into())
    })
}

/// Stores the changes of a body, unless they were stored before. `now` is in microseconds since 1970.
pub(super) fn apply_one(connection: &mut Connection, body: &BodyChanges, now: i64) -> Result<(), StoreError> {
    if are_new(connection, std::slice::from_ref(body))?.contains(&true) {
        let mut observed = spans::Observed::default();
        observed.add_body(&body.changes);
        write(connection, body.changes.clone(), observed, now)?;
        let mut usage = DailyUsage::default();
        usage.add(body);
        usage::write(connection, &usage)?;
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
        Mark::Position(queue, next) => cursor::set(connection, queue, next),
        Mark::Records => Ok(()),
    }
}

/// Returns an error's text with those of its sources.
pub(super) fn with_sources(error: &dyn std::error::Error) -> String {
    let texts = std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string);
    texts.collect::<Vec<_>>().join(": ")
}

/// Returns for each body whether it was not stored before, and remembers the idempotency keys.
fn are_new(connection: &mut Connection, bodies: &[BodyChanges]) -> Result<Vec<bool>, StoreError> {
    let row = |body: &BodyChanges| {
        vec![
            Value::from(body.app_id.clone()),
            body.idempotency_key.clone().into(),
            body.received_at.into(),
            bare_key(&body.idempotency_key).map(str::to_owned).into(),
        ]
    };
    let has_key = |body: &&BodyChanges| !body.idempotency_key.is_empty();
    let inserted = connection.execute_many(
        "INSERT INTO stored_bodies (app_id, key, stored_at)
         SELECT ?1, ?2, ?3 WHERE NOT EXISTS (SELECT 1 FROM stored_bodies WHERE app_id = ?1 AND key = ?4)
         ON CONFLICT DO NOTHING",
        &bodies.iter().filter(has_key).map(row).collect::<Vec<_>>(),
    )?;
    let mut inserted = inserted.iter().map(|count| *count > 0);
    Ok(bodies.iter().map(|body| !has_key(&body) || inserted.next().unwrap_or(false)).collect())
}

/// Returns a key as the earlier version of the server stored it: without its endpoint. Those keys are kept for a day.
///
/// Returns `None` for a key that today's keys with an endpoint can equal.
fn bare_key(key: &str) -> Option<&str> {
    let endpoint_of = |key: &str| ["errors:", "transactions:"].into_iter().find(|prefix| key.starts_with(prefix));
    let bare = key.get(endpoint_of(key)?.len()..)?;
    endpoint_of(bare).is_none().then_some(bare)
}

fn write(
    connection: &mut Connection,
    mut changes: Changes,
    mut observed: spans::Observed,
    now: i64,
) -> Result<(), StoreError> {
    let mut notes = NewNotes::default();
    traces::join(connection, &mut changes, &mut observed)?;
    let mut ids = transactions::write(connection, &changes, &mut notes)?;
    values::fold(connection, &mut ids, &mut changes, now, &mut notes)?;
    let keys = changes.rollups.keys().chain(changes.breakdowns.keys()).map(|(key, ..)| &*key.app_id);
    let keys = keys.chain(changes.errors.iter().map(|error| &*error.app_id)).chain(observed.apps());
    let marks = AppMarks::load(connection, keys)?;
    rollups::write(connection, &ids, &marks, &changes.rollups, &mut notes)?;
    rollups::write_breakdowns(connection, &ids, &marks, &changes.breakdowns)?;
    spans::write(connection, &ids, &marks, &observed, day_of(now), &mut notes)?;
    rollups::write_drops(connection, &changes.drops)?;
    // Before the errors, which happened in them.
    releases::write(connection, &changes.releases)?;
    // Before the samples, of which those are kept that an error refers to.
    errors::write(connection, &marks, &changes.errors, &mut notes)?;
    let uses = samples::write(connection, &ids, &changes.samples)?;
    span_stacks::write(connection, &changes.span_stacks, &uses, day_of(now), &mut notes)?;
    notes.add_to(&mut changes.notes, now);
    notes::write(connection, &changes.notes)?;
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

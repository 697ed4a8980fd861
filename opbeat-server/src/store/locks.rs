//! Locks of PostgreSQL, by which several processes do not write the same rows at the same time. SQLite has one writer.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::engine::{Connection, Engine, Error, Value, query};
use super::error::StoreError;
use crate::changes::BodyChanges;

/// The advisory locks of PostgreSQL, with numbers that no other program uses. A number never changes: during an update,
/// processes of two versions run at the same time. The locks of apps have [`FIRST_OF_APPS`] and the numbers after it.
#[derive(Clone, Copy, Debug)]
#[repr(i64)]
pub(super) enum Lock {
    /// Changes of the schema.
    Migrations = 0x6f70_6265_6174,
    /// The removal of old rows.
    Removal = 0x6f70_6265_6175,
    /// The addition of minutes to longer times.
    Compaction = 0x6f70_6265_6176,
    /// The cursors of queues.
    Cursor = 0x6f70_6265_6177,
    /// Changes of people.
    People = 0x6f70_6265_6178,
    /// The routing of activities to receivers.
    Notifications = 0x6f70_6265_6179,
    /// Changes of partitions.
    Partitions = 8_031_404_652_167_135_521,
}

/// The number of the first lock of apps.
const FIRST_OF_APPS: i64 = 0x6f70_6265_6174_0000;

/// The number of the locks of apps, which is small beside the number of locks that PostgreSQL has room for.
const LOCKS_OF_APPS: u64 = 1_024;

/// Waits for a lock until it is free, and holds it until the end of the transaction.
const WAIT: &str = "SELECT 1 FROM (SELECT pg_advisory_xact_lock(?)) AS locked";

/// Waits until no other process holds a lock, and holds it until the end of the transaction.
pub(super) fn wait_for(connection: &mut Connection, lock: Lock) -> Result<(), Error> {
    wait_for_number(connection, lock as i64)
}

/// Returns whether no other process holds a lock. Others do not until the end of the transaction.
pub(super) fn try_lock(connection: &mut Connection, lock: Lock) -> Result<bool, Error> {
    if connection.engine() == Engine::Sqlite {
        return Ok(true);
    }
    let row = query("SELECT pg_try_advisory_xact_lock(?) AS is_free").bind(lock as i64).fetch_one(connection)?;
    row.try_get("is_free")
}

/// Lets the workers of PostgreSQL store the data of one app one after the other, as [`lock_each`] does.
pub(super) fn lock_apps<'b>(
    connection: &mut Connection,
    bodies: impl IntoIterator<Item = &'b BodyChanges>,
) -> Result<(), StoreError> {
    lock_each(connection, bodies.into_iter().map(|body| &*body.app_id))
}

/// Waits until no other process changes the data of some apps, always in the same order of apps, so that none waits for
/// another that waits for it. Each change of an app's rows calls this first. SQLite has one writer anyway.
pub(super) fn lock_each<'a>(
    connection: &mut Connection,
    app_ids: impl IntoIterator<Item = &'a str>,
) -> Result<(), StoreError> {
    if connection.engine() == Engine::Sqlite {
        return Ok(());
    }
    let locks: BTreeSet<i64> = app_ids.into_iter().map(lock_of).collect();
    let locks: Vec<_> = locks.into_iter().map(|lock| vec![Value::from(lock)]).collect();
    connection.rows_many(WAIT, &locks)?;
    Ok(())
}

/// Waits until no other process changes the data of an app.
pub(super) fn lock_app(connection: &mut Connection, app_id: &str) -> Result<(), StoreError> {
    Ok(wait_for_number(connection, lock_of(app_id))?)
}

/// Waits until no other process changes people, so that two of them do not remove the last two admins.
pub(super) fn lock_people(connection: &mut Connection) -> Result<(), StoreError> {
    Ok(wait_for(connection, Lock::People)?)
}

/// Returns whether no other process removes rows at the moment. Others do not until the end of the transaction.
pub(super) fn is_first(connection: &mut Connection) -> Result<bool, StoreError> {
    Ok(try_lock(connection, Lock::Removal)?)
}

fn wait_for_number(connection: &mut Connection, lock: i64) -> Result<(), Error> {
    if connection.engine() == Engine::Postgres {
        query(WAIT).bind(lock).fetch_all(connection)?;
    }
    Ok(())
}

/// Returns the lock of an app. Two apps with the same lock only wait for each other.
fn lock_of(app_id: &str) -> i64 {
    let digest = Sha256::digest(app_id.as_bytes());
    let number = u64::from_le_bytes(std::array::from_fn(|index| digest[index]));
    FIRST_OF_APPS + (number % LOCKS_OF_APPS).cast_signed()
}

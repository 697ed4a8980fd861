//! Locks of PostgreSQL, by which several processes do not write the same rows at the same time. SQLite has one writer.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::engine::{Connection, Engine, Value, query};
use super::error::StoreError;
use crate::changes::BodyChanges;

/// The lock of PostgreSQL that a process holds while it removes rows: any number that no other program uses.
const REMOVAL_LOCK: i64 = 0x6f70_6265_6175;

/// Lets the workers of PostgreSQL store the data of one app one after the other, in the same order of apps, so that none
/// waits for another that waits for it. SQLite has one writer anyway.
pub(super) fn lock_apps<'b>(
    connection: &mut Connection,
    bodies: impl IntoIterator<Item = &'b BodyChanges>,
) -> Result<(), StoreError> {
    if connection.engine() == Engine::Sqlite {
        return Ok(());
    }
    let locks: BTreeSet<i64> = bodies.into_iter().map(|body| lock_of(&body.app_id)).collect();
    let locks: Vec<_> = locks.into_iter().map(|lock| vec![Value::from(lock)]).collect();
    connection.rows_many(LOCK_STATEMENT, &locks)?;
    Ok(())
}

/// Waits until no other process stores the data of an app.
pub(super) fn lock_app(connection: &mut Connection, app_id: &str) -> Result<(), StoreError> {
    if connection.engine() == Engine::Postgres {
        query(LOCK_STATEMENT).bind(lock_of(app_id)).fetch_all(connection)?;
    }
    Ok(())
}

/// The lock of PostgreSQL that a process holds while it changes people: any number that no other program uses.
const PEOPLE_LOCK: i64 = 0x6f70_6265_6178;

/// Waits until no other process changes people, so that two of them do not remove the last two admins.
pub(super) fn lock_people(connection: &mut Connection) -> Result<(), StoreError> {
    if connection.engine() == Engine::Postgres {
        query(LOCK_STATEMENT).bind(PEOPLE_LOCK).fetch_all(connection)?;
    }
    Ok(())
}

/// Waits for a lock until it is free, and holds it until the end of the transaction.
const LOCK_STATEMENT: &str = "SELECT 1 FROM (SELECT pg_advisory_xact_lock(?)) AS locked";

/// The number of locks, which is small beside the number of locks that PostgreSQL has room for.
const LOCKS: u64 = 1_024;

/// The first of the locks: any number that no other program uses.
const FIRST_LOCK: i64 = 0x6f70_6265_6174_0000;

/// Returns the lock of an app. Two apps with the same lock only wait for each other.
fn lock_of(app_id: &str) -> i64 {
    let digest = Sha256::digest(app_id.as_bytes());
    let number = u64::from_le_bytes(std::array::from_fn(|index| digest[index]));
    FIRST_LOCK + (number % LOCKS).cast_signed()
}

/// Returns whether no other process removes rows at the moment. Others do not until the end of the transaction.
pub(super) fn is_first(connection: &mut Connection) -> Result<bool, StoreError> {
    if connection.engine() == Engine::Sqlite {
        return Ok(true);
    }
    let row = query("SELECT pg_try_advisory_xact_lock(?) AS is_first").bind(REMOVAL_LOCK).fetch_one(connection)?;
    Ok(row.try_get("is_first")?)
}

//! Transactions, their durations and the breakdown of their time, and the drops that agents reported.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::engine::{Connection, Row, query};
use super::error::StoreError;
use crate::changes::{Changes, DropKey, MAX_COUNT, Rollup, SelfTime, TransactionKey};
use crate::sketch::Sketch;

/// The lengths of time that rows stand for, in seconds: a minute and an hour.
pub(super) const RESOLUTIONS: [i64; 2] = [60, 3_600];

/// The largest number of transaction names of an app.
///
/// Pages list and sum up all of them. An application with more has names that are no patterns, such as URLs with ids.
const MAX_NAMES: i64 = 10_000;

/// The name under which the names beyond [`MAX_NAMES`] are counted.
pub(crate) const OTHER_NAMES: &str = "(other names)";

/// The first and the last time that a transaction was seen, in microseconds since 1970.
type Seen = (i64, i64);

/// The ids of the transactions that a write is about.
pub(super) type TransactionIds = BTreeMap<TransactionKey, i64>;

/// Creates the rows of transactions that are missing, and returns the ids of all.
///
/// An app's names beyond [`MAX_NAMES`] share the row [`OTHER_NAMES`].
pub(super) fn write_transactions(connection: &mut Connection, changes: &Changes) -> Result<TransactionIds, StoreError> {
    let mut seen: BTreeMap<&TransactionKey, Seen> = BTreeMap::new();
    let minutes = changes.rollups.keys().chain(changes.breakdowns.keys());
    let minutes = minutes.map(|(key, minute, _)| (key, minute.saturating_mul(1_000_000)));
    let samples = changes.samples.iter().map(|sample| (&sample.transaction, sample.happened_at));
    for (key, at) in minutes.chain(samples) {
        let (first, last) = seen.entry(key).or_insert((at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }
    let mut ids = TransactionIds::new();
    let mut free: BTreeMap<&str, i64> = BTreeMap::new();
    for (key, seen) in seen {
        let known = update_transaction(connection, key, seen)?;
        let id = match known {
            Some(id) => id,
            None => create_transaction(connection, key, seen, &mut free)?,
        };
        ids.insert(key.clone(), id);
    }
    Ok(ids)
}

fn update_transaction(
    connection: &mut Connection,
    key: &TransactionKey,
    (first, last): Seen,
) -> Result<Option<i64>, StoreError> {
    let row = query(
        "UPDATE transactions SET first_seen = min(first_seen, ?), last_seen = max(last_seen, ?)
         WHERE app_id = ? AND kind = ? AND name = ? RETURNING id",
    )
    .bind(first)
    .bind(last)
    .bind(&key.app_id)
    .bind(&key.kind)
    .bind(&key.name)
    .fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Creates the row of a transaction, or of the other names if the app has no free name. `free` has the number of free
/// names of the apps that were looked at.
fn create_transaction<'k>(
    connection: &mut Connection,
    key: &'k TransactionKey,
    seen: Seen,
    free: &mut BTreeMap<&'k str, i64>,
) -> Result<i64, StoreError> {
    let free = match free.entry(&key.app_id) {
        Entry::Occupied(free) => free.into_mut(),
        Entry::Vacant(free) => {
            let names = query("SELECT count(*) FROM transactions WHERE app_id = ?").bind(&key.app_id);
            let names: i64 = names.fetch_one(&mut *connection)?.try_get(0)?;
            free.insert(MAX_NAMES - names)
        }
    };
    *free -= 1;
    if *free >= 0 {
        return insert_transaction(connection, key, seen);
    }
    let (app_id, name) = (key.app_id.clone(), OTHER_NAMES.to_owned());
    let others = TransactionKey { app_id, kind: String::new(), name };
    match update_transaction(connection, &others, seen)? {
        Some(id) => Ok(id),
        None => insert_transaction(connection, &others, seen),
    }
}

fn insert_transaction(
    connection: &mut Connection,
    key: &TransactionKey,
    (first, last): Seen,
) -> Result<i64, StoreError> {
    let row = query(
        "INSERT INTO transactions (app_id, kind, name, first_seen, last_seen) VALUES (?, ?, ?, ?, ?) RETURNING id",
    )
    .bind(&key.app_id)
    .bind(&key.kind)
    .bind(&key.name)
    .bind(first)
    .bind(last)
    .fetch_one(connection)?;
    Ok(row.try_get(0)?)
}

/// Adds durations to the rows of their minutes and hours.
pub(super) fn write(
    connection: &mut Connection,
    ids: &TransactionIds,
    rollups: &BTreeMap<(TransactionKey, i64, String), Rollup>,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(i64, i64, i64, &str), Rollup> = BTreeMap::new();
    for ((key, minute, result), rollup) in rollups {
        for resolution in RESOLUTIONS {
            let start = minute - minute.rem_euclid(resolution);
            rows.entry((ids[key], resolution, start, result)).or_default().merge(rollup);
        }
    }
    for (row, rollup) in rows {
        write_row(connection, row, rollup)?;
    }
    Ok(())
}

fn write_row(
    connection: &mut Connection,
    (transaction, resolution, start, result): (i64, i64, i64, &str),
    mut rollup: Rollup,
) -> Result<(), StoreError> {
    let known = query(
        "SELECT count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch FROM rollups
         WHERE transaction_id = ? AND resolution = ? AND start = ? AND result = ?",
    )
    .bind(transaction)
    .bind(resolution)
    .bind(start)
    .bind(result)
    .fetch_optional(&mut *connection)?;
    if let Some(row) = known {
        rollup.merge(&read(&row)?);
    }
    query(
        "INSERT OR REPLACE INTO rollups
             (transaction_id, resolution, start, result, count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(transaction)
    .bind(resolution)
    .bind(start)
    .bind(result)
    .bind(signed(rollup.count))
    .bind(signed(rollup.failed))
    .bind(rollup.sum_ms)
    .bind(rollup.min_ms)
    .bind(rollup.max_ms)
    .bind(rollup.sketch.encode())
    .bind(rollup.own_head_sketch.as_ref().map(Sketch::encode))
    .execute(connection)?;
    Ok(())
}

/// Reads the columns `count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch`.
pub(super) fn read(row: &Row<'_>) -> Result<Rollup, StoreError> {
    let head_sketch: Option<&[u8]> = row.try_get("head_sketch")?;
    Ok(Rollup {
        count: unsigned(row.try_get("count")?),
        failed: unsigned(row.try_get("failed")?),
        sum_ms: row.try_get("sum_ms")?,
        min_ms: row.try_get("min_ms")?,
        max_ms: row.try_get("max_ms")?,
        sketch: decode(row.try_get("sketch")?)?,
        own_head_sketch: head_sketch.map(decode).transpose()?,
    })
}

fn decode(sketch: &[u8]) -> Result<Sketch, StoreError> {
    Ok(Sketch::decode(sketch).ok_or_else(|| std::io::Error::other("a stored sketch is damaged"))?)
}

/// Adds self times to the rows of their minutes and hours.
pub(super) fn write_breakdowns(
    connection: &mut Connection,
    ids: &TransactionIds,
    breakdowns: &BTreeMap<(TransactionKey, i64, String), SelfTime>,
) -> Result<(), StoreError> {
    for ((key, minute, kind), self_time) in breakdowns {
        for resolution in RESOLUTIONS {
            query(
                "INSERT INTO breakdowns (transaction_id, resolution, start, kind, count, self_ms, samples)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT (transaction_id, resolution, start, kind) DO UPDATE SET
                     count = min(count + excluded.count, ?8), self_ms = min(self_ms + excluded.self_ms, 1e15),
                     samples = min(samples + excluded.samples, ?8)",
            )
            .bind(ids[key])
            .bind(resolution)
            .bind(minute - minute.rem_euclid(resolution))
            .bind(kind)
            .bind(signed(self_time.count))
            .bind(self_time.self_ms)
            .bind(signed(self_time.samples))
            .bind(signed(MAX_COUNT))
            .execute(&mut *connection)?;
        }
    }
    Ok(())
}

/// Adds drops to the rows of their minutes.
pub(super) fn write_drops(connection: &mut Connection, drops: &BTreeMap<DropKey, u64>) -> Result<(), StoreError> {
    for (key, count) in drops {
        query(
            "INSERT INTO drops (app_id, start, reason, count) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (app_id, start, reason) DO UPDATE SET count = min(count + excluded.count, ?5)",
        )
        .bind(&key.app_id)
        .bind(key.minute)
        .bind(&key.reason)
        .bind(signed(*count))
        .bind(signed(MAX_COUNT))
        .execute(&mut *connection)?;
    }
    Ok(())
}

/// Returns a count as the database stores it. Larger ones than [`MAX_COUNT`] are stored as that, so that sums of many
/// rows do not overflow.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number.min(MAX_COUNT)).unwrap_or(i64::MAX)
}

/// Returns a count as an unsigned number; no count is negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

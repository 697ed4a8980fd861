//! Transactions, their durations and the breakdown of their time, and the drops that agents reported.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection};

use super::error::StoreError;
use crate::changes::{Changes, DropKey, Rollup, SelfTime, TransactionKey};
use crate::sketch::Sketch;

/// The lengths of time that rows stand for, in seconds: a minute and an hour.
pub(super) const RESOLUTIONS: [i64; 2] = [60, 3_600];

/// The ids of the transactions that a write is about.
pub(super) type TransactionIds = BTreeMap<TransactionKey, i64>;

/// Creates the rows of transactions that are missing, and returns the ids of all.
pub(super) async fn write_transactions(
    connection: &mut SqliteConnection,
    changes: &Changes,
) -> Result<TransactionIds, StoreError> {
    let mut seen: BTreeMap<&TransactionKey, (i64, i64)> = BTreeMap::new();
    let minutes = changes.rollups.keys().chain(changes.breakdowns.keys());
    let minutes = minutes.map(|(key, minute, _)| (key, minute.saturating_mul(1_000_000)));
    let samples = changes.samples.iter().map(|sample| (&sample.transaction, sample.happened_at));
    for (key, at) in minutes.chain(samples) {
        let (first, last) = seen.entry(key).or_insert((at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }
    let mut ids = TransactionIds::new();
    for (key, (first, last)) in seen {
        ids.insert(key.clone(), write_transaction(connection, key, first, last).await?);
    }
    Ok(ids)
}

async fn write_transaction(
    connection: &mut SqliteConnection,
    key: &TransactionKey,
    first: i64,
    last: i64,
) -> Result<i64, StoreError> {
    let row = sqlx::query(
        "INSERT INTO transactions (app_id, kind, name, first_seen, last_seen) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (app_id, kind, name) DO UPDATE SET
             first_seen = min(first_seen, excluded.first_seen), last_seen = max(last_seen, excluded.last_seen)
         RETURNING id",
    )
    .bind(&key.app_id)
    .bind(&key.kind)
    .bind(&key.name)
    .bind(first)
    .bind(last)
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

/// Adds durations to the rows of their minutes and hours.
pub(super) async fn write(
    connection: &mut SqliteConnection,
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
        write_row(connection, row, rollup).await?;
    }
    Ok(())
}

async fn write_row(
    connection: &mut SqliteConnection,
    (transaction, resolution, start, result): (i64, i64, i64, &str),
    mut rollup: Rollup,
) -> Result<(), StoreError> {
    let known = sqlx::query(
        "SELECT count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch FROM rollups
         WHERE transaction_id = ? AND resolution = ? AND start = ? AND result = ?",
    )
    .bind(transaction)
    .bind(resolution)
    .bind(start)
    .bind(result)
    .fetch_optional(&mut *connection)
    .await?;
    if let Some(row) = known {
        rollup.merge(&read(&row)?);
    }
    sqlx::query(
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
    .execute(connection)
    .await?;
    Ok(())
}

/// Reads the columns `count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch`.
pub(super) fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Rollup, StoreError> {
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
pub(super) async fn write_breakdowns(
    connection: &mut SqliteConnection,
    ids: &TransactionIds,
    breakdowns: &BTreeMap<(TransactionKey, i64, String), SelfTime>,
) -> Result<(), StoreError> {
    for ((key, minute, kind), self_time) in breakdowns {
        for resolution in RESOLUTIONS {
            sqlx::query(
                "INSERT INTO breakdowns (transaction_id, resolution, start, kind, count, self_ms)
                 VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT (transaction_id, resolution, start, kind) DO UPDATE SET
                     count = count + excluded.count, self_ms = self_ms + excluded.self_ms",
            )
            .bind(ids[key])
            .bind(resolution)
            .bind(minute - minute.rem_euclid(resolution))
            .bind(kind)
            .bind(signed(self_time.count))
            .bind(self_time.self_ms)
            .execute(&mut *connection)
            .await?;
        }
    }
    Ok(())
}

/// Adds drops to the rows of their minutes.
pub(super) async fn write_drops(
    connection: &mut SqliteConnection,
    drops: &BTreeMap<DropKey, u64>,
) -> Result<(), StoreError> {
    for (key, count) in drops {
        sqlx::query(
            "INSERT INTO drops (app_id, start, reason, count) VALUES (?, ?, ?, ?)
             ON CONFLICT (app_id, start, reason) DO UPDATE SET count = count + excluded.count",
        )
        .bind(&key.app_id)
        .bind(key.minute)
        .bind(&key.reason)
        .bind(signed(*count))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// SQLite has no unsigned numbers: larger ones are stored as the largest signed one.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Returns a count as an unsigned number; no count is negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

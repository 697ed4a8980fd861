//! The durations of transactions and the breakdown of their time, and the drops that agents reported.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::counts::{signed, unsigned};
use super::engine::{Connection, Row, Value};
use super::error::StoreError;
use super::marks::AppMarks;
use super::notes::NewNotes;
use super::transactions::TransactionIds;
use crate::changes::{DropKey, MAX_COUNT, Rollup, SelfTime, TransactionKey};
use crate::sketch::Sketch;

/// The key of a row of durations: transaction, resolution, start and result.
pub(super) type RowKey<'a> = (i64, i64, i64, &'a str);

/// The number of rows of durations that are read and written at once.
const ROWS: usize = 256;

/// Adds durations to the rows of their minutes, and to those of longer times that are complete.
pub(super) fn write(
    connection: &mut Connection,
    ids: &TransactionIds,
    marks: &AppMarks,
    rollups: &BTreeMap<(TransactionKey, i64, String), Rollup>,
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<RowKey<'_>, (Rollup, &str)> = BTreeMap::new();
    for ((key, minute, result), rollup) in rollups {
        for resolution in marks.of(&key.app_id).resolutions(*minute) {
            let start = minute - minute.rem_euclid(resolution);
            for id in ids.of(key) {
                let row = (id, resolution, start, ids.result(id, result));
                rows.entry(row).or_insert_with(|| (Rollup::default(), &key.app_id)).0.merge(rollup);
            }
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    for rows in rows.chunks_mut(ROWS) {
        write_rows(connection, rows, notes)?;
    }
    Ok(())
}

/// Adds the rows that are stored to these, each with its app, and stores the sums.
fn write_rows(
    connection: &mut Connection,
    rows: &mut [(RowKey<'_>, (Rollup, &str))],
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let known = connection.rows_many(
        "SELECT count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch FROM rollups
         WHERE transaction_id = ? AND resolution = ? AND start = ? AND result = ?",
        &rows.iter().map(|(row, _)| key_values(*row)).collect::<Vec<_>>(),
    )?;
    for ((_, (rollup, app_id)), known) in rows.iter_mut().zip(known) {
        let Some(known) = known.first() else { continue };
        let known = read(known)?;
        rollup.merge(&known.rollup);
        if known.is_damaged {
            report_damage(app_id);
            notes.damage(app_id);
        }
    }
    store_rows(connection, &rows.iter().map(|(row, (rollup, _))| (*row, rollup)).collect::<Vec<_>>())
}

fn key_values((transaction, resolution, start, result): RowKey<'_>) -> Vec<Value<'static>> {
    vec![Value::from(transaction), resolution.into(), start.into(), result.to_owned().into()]
}

/// Stores rows of durations, in the place of those that are there.
pub(super) fn store_rows(connection: &mut Connection, rows: &[(RowKey<'_>, &Rollup)]) -> Result<(), StoreError> {
    let row = |(row, rollup): &(RowKey<'_>, &Rollup)| {
        let mut values = key_values(*row);
        values.extend([
            signed(rollup.count).into(),
            signed(rollup.failed).into(),
            rollup.sum_ms.into(),
            rollup.min_ms.into(),
            rollup.max_ms.into(),
            rollup.sketch.encode().into(),
            rollup.own_head_sketch.as_ref().map(Sketch::encode).into(),
        ]);
        values
    };
    connection.execute_many(
        "INSERT INTO rollups
             (transaction_id, resolution, start, result, count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (transaction_id, resolution, start, result) DO UPDATE SET
             count = excluded.count, failed = excluded.failed, sum_ms = excluded.sum_ms, min_ms = excluded.min_ms,
             max_ms = excluded.max_ms, sketch = excluded.sketch, head_sketch = excluded.head_sketch",
        &rows.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// The durations of a row.
pub(super) struct StoredRollup {
    /// The durations.
    pub(super) rollup: Rollup,
    /// Whether a distribution is damaged. It is left out then: percentiles are those of the other rows, and counts and
    /// sums are still exact.
    pub(super) is_damaged: bool,
}

/// Reads the columns `count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch`.
pub(super) fn read(row: &Row<'_>) -> Result<StoredRollup, StoreError> {
    let head_sketch: Option<&[u8]> = row.try_get("head_sketch")?;
    let sketch = Sketch::decode(row.try_get("sketch")?);
    let own_head_sketch = head_sketch.map(Sketch::decode);
    let is_damaged = sketch.is_none() || own_head_sketch.as_ref().is_some_and(Option::is_none);
    let rollup = Rollup {
        count: unsigned(row.try_get("count")?),
        failed: unsigned(row.try_get("failed")?),
        sum_ms: row.try_get("sum_ms")?,
        min_ms: row.try_get("min_ms")?,
        max_ms: row.try_get("max_ms")?,
        sketch: sketch.unwrap_or_default(),
        own_head_sketch: own_head_sketch.map(Option::unwrap_or_default),
    };
    Ok(StoredRollup { rollup, is_damaged })
}

/// Logs that a row of an app has a damaged distribution, once for each app. Pages can read such a row for months.
pub(super) fn report_damage(app_id: &str) {
    static REPORTED: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if REPORTED.lock().unwrap_or_else(PoisonError::into_inner).insert(app_id.to_owned()) {
        tracing::error!(
            app_id,
            "a stored distribution of durations is damaged; its durations count in sums, and no longer in percentiles; \
             the disk may be failing"
        );
    }
}

/// Adds self times to the rows of their minutes, and to those of longer times that are complete.
pub(super) fn write_breakdowns(
    connection: &mut Connection,
    ids: &TransactionIds,
    marks: &AppMarks,
    breakdowns: &BTreeMap<(TransactionKey, i64, String), SelfTime>,
) -> Result<(), StoreError> {
    let row = |id: i64, minute: i64, kind: &String, self_time: &SelfTime, resolution: i64| {
        vec![
            Value::from(id),
            Value::from(resolution),
            (minute - minute.rem_euclid(resolution)).into(),
            ids.kind(id, kind).to_owned().into(),
            signed(self_time.count).into(),
            self_time.self_ms.into(),
            signed(self_time.samples).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    let rows = |((key, minute, kind), self_time): (&(TransactionKey, i64, String), &SelfTime)| {
        let resolutions = marks.of(&key.app_id).resolutions(*minute);
        let rows = |resolution| ids.of(key).map(|id| row(id, *minute, kind, self_time, resolution));
        resolutions.flat_map(rows).collect::<Vec<_>>()
    };
    connection.execute_many(
        "INSERT INTO breakdowns (transaction_id, resolution, start, kind, count, self_ms, samples)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (transaction_id, resolution, start, kind) DO UPDATE SET
             count = least(breakdowns.count + excluded.count, ?8),
             self_ms = least(breakdowns.self_ms + excluded.self_ms, 1e15),
             samples = least(breakdowns.samples + excluded.samples, ?8)",
        &breakdowns.iter().flat_map(rows).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// Adds drops to the rows of their minutes.
pub(super) fn write_drops(connection: &mut Connection, drops: &BTreeMap<DropKey, u64>) -> Result<(), StoreError> {
    let row = |(key, count): (&DropKey, &u64)| {
        vec![
            Value::from(key.app_id.clone()),
            key.minute.into(),
            key.reason.clone().into(),
            signed(*count).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO drops (app_id, start, reason, count) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (app_id, start, reason) DO UPDATE SET count = least(drops.count + excluded.count, ?5)",
        &drops.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

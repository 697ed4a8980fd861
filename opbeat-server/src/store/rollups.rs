//! Transactions, their durations and the breakdown of their time, and the drops that agents reported.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use super::caps::{NAMES, Places};
use super::engine::{Connection, Row, Value};
use super::error::StoreError;
use super::ids;
use super::marks::AppMarks;
use super::notes::NewNotes;
use crate::changes::{Changes, DropKey, MAX_COUNT, Rollup, SelfTime, TransactionKey};
use crate::sketch::Sketch;

/// The name under which the names beyond [`NAMES`] are counted.
pub(crate) const OTHER_NAMES: &str = "(other names)";

/// The first and the last time that a transaction was seen, in microseconds since 1970.
type Seen = (i64, i64);

/// The key of a row of durations: transaction, resolution, start and result.
pub(super) type RowKey<'a> = (i64, i64, i64, &'a str);

/// The number of rows of durations that are read and written at once.
const ROWS: usize = 256;

/// The ids of the transactions that a write is about.
pub(super) type TransactionIds = BTreeMap<TransactionKey, i64>;

/// Creates the rows of transactions that are missing, and returns the ids of all.
///
/// An app's names beyond [`NAMES`] share the row [`OTHER_NAMES`].
pub(super) fn write_transactions(
    connection: &mut Connection,
    changes: &Changes,
    notes: &mut NewNotes,
) -> Result<TransactionIds, StoreError> {
    let mut seen: BTreeMap<&TransactionKey, Seen> = BTreeMap::new();
    let minutes = changes.rollups.keys().chain(changes.breakdowns.keys());
    let minutes = minutes.map(|(key, minute, _)| (key, minute.saturating_mul(1_000_000)));
    let samples = changes.samples.iter().map(|sample| (&sample.transaction, sample.happened_at));
    for (key, at) in minutes.chain(samples) {
        let (first, last) = seen.entry(key).or_insert((at, at));
        (*first, *last) = ((*first).min(at), (*last).max(at));
    }
    let mut ids = TransactionIds::new();
    let mut missing = Vec::new();
    let known = update_transactions(connection, &seen)?;
    for ((key, seen), known) in seen.into_iter().zip(known) {
        match known {
            Some(id) => drop(ids.insert(key.clone(), id)),
            None => missing.push((key, seen)),
        }
    }
    let others = create_transactions(connection, missing, &mut ids)?;
    for ((key, ..), rollup) in changes.rollups.iter().filter(|((key, ..), _)| others.contains(key)) {
        notes.fold(&key.app_id, &NAMES, rollup.count);
    }
    Ok(ids)
}

/// Updates the rows of transactions, and returns their ids; `None` where there is no row.
fn update_transactions(
    connection: &mut Connection,
    seen: &BTreeMap<&TransactionKey, Seen>,
) -> Result<Vec<Option<i64>>, StoreError> {
    let row = |(key, (first, last)): (&&TransactionKey, &Seen)| {
        let key: &TransactionKey = key;
        vec![
            Value::from(*first),
            (*last).into(),
            key.app_id.clone().into(),
            key.kind.clone().into(),
            key.name.clone().into(),
        ]
    };
    let rows = connection.rows_many(
        "UPDATE transactions SET first_seen = least(first_seen, ?), last_seen = greatest(last_seen, ?)
         WHERE app_id = ? AND kind = ? AND name = ? RETURNING id",
        &seen.iter().map(row).collect::<Vec<_>>(),
    )?;
    rows.iter().map(|rows| Ok(rows.first().map(|row| row.try_get(0)).transpose()?)).collect()
}

/// Creates the rows of transactions as long as the app has places for names, and adds their ids. The others share a row,
/// and are returned.
fn create_transactions<'k>(
    connection: &mut Connection,
    missing: Vec<(&'k TransactionKey, Seen)>,
    ids: &mut TransactionIds,
) -> Result<BTreeSet<&'k TransactionKey>, StoreError> {
    let mut places = Places::new(&NAMES);
    let mut named = Vec::new();
    let mut others: BTreeMap<&str, (Seen, Vec<&TransactionKey>)> = BTreeMap::new();
    for (key, seen) in missing {
        if places.take(connection, &key.app_id)? {
            named.push((key, seen));
        } else {
            let ((first, last), keys) = others.entry(&key.app_id).or_insert((seen, Vec::new()));
            (*first, *last) = ((*first).min(seen.0), (*last).max(seen.1));
            keys.push(key);
        }
    }
    let rows: Vec<_> = named.iter().map(|(key, seen)| new_row(ids::of_transaction(key), key, *seen)).collect();
    let inserted = connection.rows_many(INSERT_TRANSACTION, &rows)?;
    for ((key, seen), rows) in named.into_iter().zip(inserted) {
        let id = match rows.first() {
            Some(row) => row.try_get(0)?,
            None => insert_transaction(connection, key, seen)?,
        };
        ids.insert(key.clone(), id);
    }
    let mut shared = BTreeSet::new();
    for (app_id, (seen, keys)) in others {
        let (app_id, name) = (app_id.to_owned(), OTHER_NAMES.to_owned());
        let id = insert_transaction(connection, &TransactionKey { app_id, kind: String::new(), name }, seen)?;
        ids.extend(keys.iter().map(|key| ((*key).clone(), id)));
        shared.extend(keys);
    }
    Ok(shared)
}

/// Another process can have created the row, and the row of another name can have the id: then no row is returned.
const INSERT_TRANSACTION: &str = "INSERT INTO transactions (id, app_id, kind, name, first_seen, last_seen)
     VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id";

fn new_row<'k>(id: i64, key: &'k TransactionKey, (first, last): Seen) -> Vec<Value<'k>> {
    let key = [&key.app_id, &key.kind, &key.name].map(Value::from);
    std::iter::once(Value::from(id)).chain(key).chain([first.into(), last.into()]).collect()
}

/// Creates the row of a transaction, or updates it if there is one. Returns its id.
fn insert_transaction(connection: &mut Connection, key: &TransactionKey, seen: Seen) -> Result<i64, StoreError> {
    let mut id = ids::of_transaction(key);
    loop {
        let inserted = connection.rows_many(INSERT_TRANSACTION, &[new_row(id, key, seen)])?;
        if inserted.iter().any(|rows| !rows.is_empty()) {
            return Ok(id);
        }
        if let Some(id) = update_transactions(connection, &[(key, seen)].into())?.into_iter().flatten().next() {
            return Ok(id);
        }
        // The row of another name has the id.
        id += 1;
    }
}

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
            let row = (ids[key], resolution, start, result.as_str());
            rows.entry(row).or_insert_with(|| (Rollup::default(), &key.app_id)).0.merge(rollup);
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
    let row = |key: &TransactionKey, minute: i64, kind: &String, self_time: &SelfTime, resolution: i64| {
        vec![
            Value::from(ids[key]),
            Value::from(resolution),
            (minute - minute.rem_euclid(resolution)).into(),
            kind.clone().into(),
            signed(self_time.count).into(),
            self_time.self_ms.into(),
            signed(self_time.samples).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    let rows = |((key, minute, kind), self_time): (&(TransactionKey, i64, String), &SelfTime)| {
        let resolutions = marks.of(&key.app_id).resolutions(*minute);
        resolutions.map(|resolution| row(key, *minute, kind, self_time, resolution)).collect::<Vec<_>>()
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

/// Returns a count as the database stores it. Larger ones than [`MAX_COUNT`] are stored as that, so that sums of many
/// rows do not overflow.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number.min(MAX_COUNT)).unwrap_or(i64::MAX)
}

/// Returns a count as an unsigned number; no count is negative.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

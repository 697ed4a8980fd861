//! Writes the sums of names, and the transactions that they were observed in.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::divided::Sums;
use super::names::{Others, SpanIds};
use super::observed::Observed;
use super::sum::{Seen, SpanSum};
use crate::changes::MAX_COUNT;
use crate::store::counts::signed;
use crate::store::engine::{Connection, Value};
use crate::store::error::StoreError;
use crate::store::marks::AppMarks;
use crate::store::transactions::TransactionIds;

/// The largest number of names that are remembered of a transaction and day. Others share a row of their kind.
const MAX_NAMES: i64 = 200;

/// Adds sums to the rows of their minutes, and to those of longer times that are complete.
pub(super) fn write_sums(connection: &mut Connection, marks: &AppMarks, sums: &Sums) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(i64, i64, i64), SpanSum> = BTreeMap::new();
    for ((app_id, span, minute), sum) in sums {
        for resolution in marks.of(app_id).resolutions(*minute) {
            let start = minute - minute.rem_euclid(resolution);
            rows.entry((*span, resolution, start)).or_default().merge(sum);
        }
    }
    let row = |((span, resolution, start), sum): (&(i64, i64, i64), &SpanSum)| {
        vec![
            Value::from(*span),
            (*resolution).into(),
            (*start).into(),
            sum.count.into(),
            sum.sum_ms.into(),
            sum.estimated_ms.into(),
            signed(sum.samples).into(),
            signed(sum.n_plus_one).into(),
            signed(sum.answered).into(),
            signed(sum.failed).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO span_sums (span_id, resolution, start, count, sum_ms, estimated_ms, samples, n_plus_one, answered,
                                failed)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (span_id, resolution, start) DO UPDATE SET
             count = least(span_sums.count + excluded.count, 1e15),
             sum_ms = least(span_sums.sum_ms + excluded.sum_ms, 1e15),
             estimated_ms = least(span_sums.estimated_ms + excluded.estimated_ms, 1e15),
             samples = least(span_sums.samples + excluded.samples, ?11),
             n_plus_one = least(span_sums.n_plus_one + excluded.n_plus_one, ?11),
             answered = least(span_sums.answered + excluded.answered, ?11),
             failed = least(span_sums.failed + excluded.failed, ?11)",
        &rows.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

/// The observed spans of a transaction and day, by the id of their name.
type Callers<'o> = BTreeMap<i64, Caller<'o>>;

/// The observed spans of a name in a transaction, on a day.
struct Caller<'o> {
    app_id: &'o str,
    kind: &'o str,
    seen: Seen,
}

/// Adds the observed spans to the rows of their transactions and days. Names beyond [`MAX_NAMES`] share a row of their kind.
pub(super) fn write_callers<'o>(
    connection: &mut Connection,
    ids: &TransactionIds,
    names: &SpanIds<'_>,
    observed: &'o Observed,
    others: &mut Others,
) -> Result<(), StoreError> {
    let mut all: BTreeMap<(i64, i64), Callers<'o>> = BTreeMap::new();
    for ((key, day), spans) in &observed.callers {
        let Some(transaction) = ids.names.get(key) else { continue };
        let callers = all.entry((*transaction, *day)).or_default();
        for (name, seen) in spans {
            if let Some(span) = names.get(&(&*key.app_id, name)) {
                add(callers, *span, Caller { app_id: &key.app_id, kind: &name.0, seen: *seen });
            }
        }
    }
    let keys: Vec<_> = all.keys().map(|(transaction, day)| vec![Value::from(*transaction), (*day).into()]).collect();
    let counts =
        connection.rows_many("SELECT count(*) FROM span_callers WHERE transaction_id = ? AND day = ?", &keys)?;
    for ((key, callers), rows) in keys.into_iter().zip(all.values_mut()).zip(counts) {
        let count: i64 = rows.first().map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        if count + signed(callers.len() as u64) > MAX_NAMES {
            fold(connection, key, callers, others)?;
        }
    }
    let row = |(transaction, day): (i64, i64), span: i64, seen: &Seen| {
        vec![
            Value::from(transaction),
            day.into(),
            span.into(),
            signed(seen.count).into(),
            seen.sum_ms.into(),
            signed(seen.samples).into(),
            signed(MAX_COUNT).into(),
        ]
    };
    let rows: Vec<_> = all
        .iter()
        .flat_map(|(key, callers)| callers.iter().map(move |(span, caller)| row(*key, *span, &caller.seen)))
        .collect();
    connection.execute_many(
        "INSERT INTO span_callers (transaction_id, day, span_id, count, sum_ms, samples) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (transaction_id, day, span_id) DO UPDATE SET
             count = least(span_callers.count + excluded.count, ?7),
             sum_ms = least(span_callers.sum_ms + excluded.sum_ms, 1e15),
             samples = least(span_callers.samples + excluded.samples, ?7)",
        &rows,
    )?;
    Ok(())
}

/// Moves the names for which a transaction and day have no place to the rows that further names of their kinds share. Those
/// with the most time have a place first.
fn fold(
    connection: &mut Connection,
    key: Vec<Value<'_>>,
    callers: &mut Callers<'_>,
    others: &mut Others,
) -> Result<(), StoreError> {
    let select = "SELECT span_id FROM span_callers WHERE transaction_id = ? AND day = ?";
    let rows = connection.rows_many(select, &[key])?;
    let known: BTreeSet<i64> = rows.iter().flatten().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut new: Vec<(i64, f64)> = callers.iter().map(|(span, caller)| (*span, caller.seen.sum_ms)).collect();
    new.retain(|(span, _)| !known.contains(span));
    new.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let free = usize::try_from(MAX_NAMES).unwrap_or_default().saturating_sub(known.len());
    for (span, _) in new.into_iter().skip(free) {
        let Some(caller) = callers.remove(&span) else { continue };
        if let Some(shared) = others.id(connection, caller.app_id, caller.kind)? {
            add(callers, shared, caller);
        }
    }
    Ok(())
}

fn add<'o>(callers: &mut Callers<'o>, span: i64, caller: Caller<'o>) {
    match callers.entry(span) {
        Entry::Vacant(free) => drop(free.insert(caller)),
        Entry::Occupied(mut known) => {
            let known = &mut known.get_mut().seen;
            // A sample can have several of these names, and counts once.
            let samples = known.samples.max(caller.seen.samples);
            known.merge(&caller.seen);
            known.samples = samples;
        }
    }
}

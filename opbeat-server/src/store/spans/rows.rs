//! Writes the sums of names, and the transactions that they were observed in.

use std::collections::BTreeMap;

use super::divided::Sums;
use super::names::SpanIds;
use super::observed::Observed;
use super::sum::{Seen, SpanSum};
use crate::changes::MAX_COUNT;
use crate::store::counts::signed;
use crate::store::engine::{Connection, Value};
use crate::store::error::StoreError;
use crate::store::marks::AppMarks;
use crate::store::transactions::TransactionIds;

/// The largest number of names that are remembered of a transaction and day. Others have no part in its estimates.
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

/// Adds the observed spans to the rows of their transactions and days.
pub(super) fn write_callers(
    connection: &mut Connection,
    ids: &TransactionIds,
    names: &SpanIds<'_>,
    observed: &Observed,
) -> Result<(), StoreError> {
    let mut rows: BTreeMap<(i64, i64, i64), Seen> = BTreeMap::new();
    for ((key, day), spans) in &observed.callers {
        let Some(transaction) = ids.names.get(key) else { continue };
        for (name, seen) in spans {
            if let Some(span) = names.get(&(&*key.app_id, name)) {
                rows.entry((*transaction, *day, *span)).or_default().merge(seen);
            }
        }
    }
    let row = |((transaction, day, span), seen): (&(i64, i64, i64), &Seen)| {
        vec![
            Value::from(*transaction),
            (*day).into(),
            (*span).into(),
            signed(seen.count).into(),
            seen.sum_ms.into(),
            signed(seen.samples).into(),
            MAX_NAMES.into(),
            signed(MAX_COUNT).into(),
        ]
    };
    connection.execute_many(
        "INSERT INTO span_callers (transaction_id, day, span_id, count, sum_ms, samples)
         SELECT CAST(?1 AS BIGINT), CAST(?2 AS BIGINT), CAST(?3 AS BIGINT), CAST(?4 AS BIGINT),
                CAST(?5 AS DOUBLE PRECISION), CAST(?6 AS BIGINT)
         WHERE EXISTS (SELECT 1 FROM span_callers WHERE transaction_id = ?1 AND day = ?2 AND span_id = ?3)
            OR (SELECT count(*) FROM span_callers WHERE transaction_id = ?1 AND day = ?2) < ?7
         ON CONFLICT (transaction_id, day, span_id) DO UPDATE SET
             count = least(span_callers.count + excluded.count, ?8),
             sum_ms = least(span_callers.sum_ms + excluded.sum_ms, 1e15),
             samples = least(span_callers.samples + excluded.samples, ?8)",
        &rows.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

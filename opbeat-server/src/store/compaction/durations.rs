//! Adds the durations of some transactions after the others up to rows of a longer time.
//!
//! The memory that it takes is bounded by the number of transactions at once and by the cap on their results.

use std::collections::BTreeMap;

use crate::changes::Rollup;
use crate::store::caps::RESULTS;
use crate::store::engine::{Connection, QueryBuilder, query};
use crate::store::error::StoreError;
use crate::store::marks::Part;
use crate::store::notes::NewNotes;
use crate::store::rollups::{self, RowKey};
use crate::store::transactions;
use crate::store::values::ResultsOf;

/// The number of transactions whose durations are added up at once.
const TRANSACTIONS: usize = 32;

/// Adds the durations of an app in a range of time up to rows of its length.
pub(super) fn add_up(
    connection: &mut Connection,
    app_id: &str,
    part: Part,
    length: i64,
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let total = transactions::id_of_app(connection, app_id)?;
    for transactions in transactions(connection, app_id, part)?.chunks(TRANSACTIONS) {
        let sums = sums(connection, (app_id, total), part, transactions, notes)?;
        let rows = sums.iter().map(|((transaction, result), rollup)| {
            let row: RowKey<'_> = (*transaction, length, part.from, result);
            (row, rollup)
        });
        rollups::store_rows(connection, &rows.collect::<Vec<_>>())?;
    }
    Ok(())
}

/// Returns the transactions of an app that have durations in a range of time.
fn transactions(connection: &mut Connection, app_id: &str, part: Part) -> Result<Vec<i64>, StoreError> {
    let rows = query(
        "SELECT id FROM transactions WHERE app_id = ? AND last_seen >= ? AND EXISTS (
             SELECT 1 FROM rollups WHERE rollups.transaction_id = transactions.id AND rollups.resolution = ?
               AND rollups.start >= ? AND rollups.start < ?)
         ORDER BY id",
    )
    .bind(app_id)
    .bind(part.from.saturating_mul(1_000_000))
    .bind(part.resolution)
    .bind(part.from)
    .bind(part.to)
    .fetch_all(connection)?;
    Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
}

/// Returns the sums of the durations of transactions of an app in a range of time, by transaction and result. The row of the
/// sums of the app has no notes: those of the names say the same.
fn sums(
    connection: &mut Connection,
    (app_id, total): (&str, Option<i64>),
    part: Part,
    transactions: &[i64],
    notes: &mut NewNotes,
) -> Result<BTreeMap<(i64, String), Rollup>, StoreError> {
    let mut results = ResultsOf::load(connection, transactions)?;
    let mut select = QueryBuilder::new(
        "SELECT transaction_id, result, count, failed, sum_ms, min_ms, max_ms, sketch, head_sketch FROM rollups
         WHERE resolution = ",
    );
    select.push_bind(part.resolution).push(" AND start >= ").push_bind(part.from);
    select.push(" AND start < ").push_bind(part.to).push(" AND transaction_id IN ").push_integers(transactions);
    let mut sums: BTreeMap<(i64, String), Rollup> = BTreeMap::new();
    let mut damaged = 0_u64;
    let mut failure = None;
    select.build().fetch_each(connection, |row| {
        match rollups::read(row) {
            Ok(stored) => {
                damaged += u64::from(stored.is_damaged);
                let (pair, is_folded) = results.of(row.try_get("transaction_id")?, row.try_get("result")?);
                if is_folded && total != Some(pair.0) {
                    notes.fold(app_id, &RESULTS, stored.rollup.count);
                }
                sums.entry(pair).or_default().merge(&stored.rollup);
            }
            Err(error) => failure = Some(error),
        }
        Ok(failure.is_none())
    })?;
    if damaged > 0 {
        rollups::report_damage(app_id);
    }
    (0..damaged).for_each(|_| notes.damage(app_id));
    failure.map_or(Ok(sums), Err)
}

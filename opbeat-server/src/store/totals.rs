//! The sums of all transactions of an app, which are stored beside those of each name. Charts of a whole app read one row
//! of each minute, however many names ran in it.
//!
//! The sums have the row of a transaction with a kind of their own. Compaction and retention treat it like the others.

use std::collections::BTreeMap;

use super::engine::{Connection, query};
use super::error::StoreError;
use super::marks::TOTALS;
use super::rollups::{Seen, TransactionIds, insert_transaction, update_transactions};
use crate::changes::TransactionKey;

/// The kind of the row. Agents name kinds in words.
pub(super) const TOTAL_KIND: &str = "\u{1}total";

const DAY: i64 = 86_400;

/// Updates or creates the rows of apps, given when their transactions were seen, and adds their ids.
///
/// An app with data from before it had such a row is summed up from the next day on: [`TOTALS`] has the time.
pub(super) fn write_apps(
    connection: &mut Connection,
    seen: &BTreeMap<&str, Seen>,
    ids: &mut TransactionIds,
) -> Result<(), StoreError> {
    let keys: BTreeMap<TransactionKey, Seen> = seen.iter().map(|(app_id, seen)| (key(app_id), *seen)).collect();
    let known = update_transactions(connection, &keys.iter().map(|(key, seen)| (key, *seen)).collect())?;
    for ((key, seen), known) in keys.into_iter().zip(known) {
        let id = match known {
            Some(id) => id,
            None => create(connection, &key, seen)?,
        };
        ids.apps.insert(key.app_id, id);
    }
    Ok(())
}

/// Returns the id of the row of an app, if it has one.
pub(super) fn id(connection: &mut Connection, app_id: &str) -> Result<Option<i64>, StoreError> {
    let row = query("SELECT id FROM transactions WHERE app_id = ? AND kind = ? AND name = ''");
    let row = row.bind(app_id).bind(TOTAL_KIND).fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn key(app_id: &str) -> TransactionKey {
    TransactionKey { app_id: app_id.to_owned(), kind: TOTAL_KIND.to_owned(), name: String::new() }
}

fn create(connection: &mut Connection, key: &TransactionKey, seen: Seen) -> Result<i64, StoreError> {
    let row = query("SELECT min(first_seen), max(last_seen) FROM transactions WHERE app_id = ?")
        .bind(&key.app_id)
        .fetch_one(connection)?;
    let before: Option<Seen> = row.try_get::<Option<i64>, _>(0)?.zip(row.try_get(1)?);
    let since = before.map_or(0, |(_, last)| (last.div_euclid(DAY * 1_000_000) + 1).saturating_mul(DAY));
    let (first, last) = before.unwrap_or(seen);
    query(
        "INSERT INTO compactions (app_id, resolution, since, until) VALUES (?, ?, ?, 0)
         ON CONFLICT (app_id, resolution) DO NOTHING",
    )
    .bind(&key.app_id)
    .bind(TOTALS)
    .bind(since)
    .execute(connection)?;
    insert_transaction(connection, key, (first.min(seen.0), last.max(seen.1)))
}

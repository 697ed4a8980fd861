//! The rows of transactions: one for each name, and one for the sums of each app.
//!
//! Charts of a whole app read the sums: one row of each minute, however many names ran in it. Compaction and retention treat
//! them like the figures of a name, because they belong to a transaction with a kind of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::caps::{NAMES, OTHER_KINDS, OTHER_NAMES, OTHER_RESULTS, Places};
use super::engine::{Connection, Value, query};
use super::error::StoreError;
use super::ids;
use super::marks::TOTALS;
use super::notes::NewNotes;
use crate::changes::{Changes, TransactionKey};

/// The first and the last time that a transaction was seen, in microseconds since 1970.
type Seen = (i64, i64);
/// The kind of the row with the sums of an app. Agents name kinds in words.
pub(super) const TOTAL_KIND: &str = "\u{1}total";

const DAY: i64 = 86_400;

/// The ids of the transactions that a write is about.
#[derive(Debug, Default)]
pub(super) struct TransactionIds {
    /// Those of single names.
    pub(super) names: BTreeMap<TransactionKey, i64>,
    /// Those of the sums of apps.
    pub(super) apps: BTreeMap<String, i64>,
    /// Results that are counted under another one, by the transaction.
    pub(super) surplus_results: BTreeSet<(i64, String)>,
    /// Kinds that are counted under another one, by the transaction.
    pub(super) surplus_kinds: BTreeSet<(i64, String)>,
}

impl TransactionIds {
    /// Returns the rows that the figures of a transaction are added to: its own, and that of its app.
    pub(super) fn of(&self, key: &TransactionKey) -> [i64; 2] {
        [self.names[key], self.apps[&key.app_id]]
    }

    /// Returns the result under which durations are counted in a row.
    pub(super) fn result<'r>(&self, id: i64, result: &'r str) -> &'r str {
        let is_surplus = !self.surplus_results.is_empty() && self.surplus_results.contains(&(id, result.to_owned()));
        if is_surplus { OTHER_RESULTS } else { result }
    }

    /// Returns the kind under which self time is counted in a row.
    pub(super) fn kind<'k>(&self, id: i64, kind: &'k str) -> &'k str {
        let is_surplus = !self.surplus_kinds.is_empty() && self.surplus_kinds.contains(&(id, kind.to_owned()));
        if is_surplus { OTHER_KINDS } else { kind }
    }
}

/// Creates the rows of transactions that are missing, and returns the ids of all.
///
/// An app's names beyond [`NAMES`] share the row [`OTHER_NAMES`].
pub(super) fn write(
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
    let mut ids = TransactionIds::default();
    let mut apps: BTreeMap<&str, Seen> = BTreeMap::new();
    for (key, (first, last)) in &seen {
        let app = apps.entry(&key.app_id).or_insert((*first, *last));
        *app = (app.0.min(*first), app.1.max(*last));
    }
    // Before the names, which are not new to the app afterwards.
    write_apps(connection, &apps, &mut ids)?;
    let mut missing = Vec::new();
    let known = update_transactions(connection, &seen)?;
    for ((key, seen), known) in seen.into_iter().zip(known) {
        match known {
            Some(id) => drop(ids.names.insert(key.clone(), id)),
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
        ids.names.insert(key.clone(), id);
    }
    let mut shared = BTreeSet::new();
    for (app_id, (seen, keys)) in others {
        let (app_id, name) = (app_id.to_owned(), OTHER_NAMES.to_owned());
        let id = insert_transaction(connection, &TransactionKey { app_id, kind: String::new(), name }, seen)?;
        ids.names.extend(keys.iter().map(|key| ((*key).clone(), id)));
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
/// Updates or creates the rows of apps, given when their transactions were seen, and adds their ids.
///
/// An app with data from before it had such a row is summed up from the next day on: [`TOTALS`] has the time.
fn write_apps(
    connection: &mut Connection,
    seen: &BTreeMap<&str, Seen>,
    ids: &mut TransactionIds,
) -> Result<(), StoreError> {
    let keys: BTreeMap<TransactionKey, Seen> = seen.iter().map(|(app_id, seen)| (key_of_app(app_id), *seen)).collect();
    let known = update_transactions(connection, &keys.iter().map(|(key, seen)| (key, *seen)).collect())?;
    for ((key, seen), known) in keys.into_iter().zip(known) {
        let id = match known {
            Some(id) => id,
            None => create_app(connection, &key, seen)?,
        };
        ids.apps.insert(key.app_id, id);
    }
    Ok(())
}

/// Returns the id of the row of an app, if it has one.
pub(super) fn id_of_app(connection: &mut Connection, app_id: &str) -> Result<Option<i64>, StoreError> {
    let row = query("SELECT id FROM transactions WHERE app_id = ? AND kind = ? AND name = ''");
    let row = row.bind(app_id).bind(TOTAL_KIND).fetch_optional(connection)?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

fn key_of_app(app_id: &str) -> TransactionKey {
    TransactionKey { app_id: app_id.to_owned(), kind: TOTAL_KIND.to_owned(), name: String::new() }
}

fn create_app(connection: &mut Connection, key: &TransactionKey, seen: Seen) -> Result<i64, StoreError> {
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

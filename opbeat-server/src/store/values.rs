//! The results of transactions and the kinds of their spans: those that have rows of their own, within caps.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::caps::{Cap, KINDS, OTHER_KINDS, OTHER_RESULTS, Places, RESULTS};
use super::engine::{Connection, QueryBuilder, Value};
use super::error::StoreError;
use super::notes::NewNotes;
use super::transactions::TransactionIds;
use crate::changes::{Changes, TransactionKey};

/// The kind of the time that no span covers, which each transaction has.
const APP: &str = "app";

/// The values of one list that a transaction has: its results, or the kinds of its spans.
struct List {
    /// The name in the column `list`.
    name: &'static str,
    cap: &'static Cap,
    /// The value under which those beyond the cap are counted.
    others: &'static str,
}

const RESULT_LIST: List = List { name: "result", cap: &RESULTS, others: OTHER_RESULTS };

const KIND_LIST: List = List { name: "kind", cap: &KINDS, others: OTHER_KINDS };

/// A value of a transaction.
type Pair = (i64, String);

/// Counts results and kinds beyond the caps under one result and one kind. Those of the sums of apps have the same caps, and
/// are left to the rows of the sums. `now` is in microseconds since 1970.
pub(super) fn fold(
    connection: &mut Connection,
    ids: &mut TransactionIds,
    changes: &mut Changes,
    now: i64,
    notes: &mut NewNotes,
) -> Result<(), StoreError> {
    let day = super::day_of(now);
    let results = changes.rollups.keys().flat_map(|(key, _, result)| ids.of(key).map(|id| (id, &**result)));
    let surplus = surplus(connection, &RESULT_LIST, results.collect(), day)?;
    if !surplus.is_empty() {
        for ((key, minute, result), rollup) in std::mem::take(&mut changes.rollups) {
            let (result, is_folded) = value(ids, &key, result, &surplus, &RESULT_LIST);
            if is_folded {
                notes.fold(&key.app_id, RESULT_LIST.cap, rollup.count);
            }
            changes.rollups.entry((key, minute, result)).or_default().merge(&rollup);
        }
        ids.surplus_results = surplus;
    }
    let kinds = changes.breakdowns.keys().filter(|(_, _, kind)| kind != APP);
    let kinds = kinds.flat_map(|(key, _, kind)| ids.of(key).map(|id| (id, &**kind)));
    let surplus = self::surplus(connection, &KIND_LIST, kinds.collect(), day)?;
    if !surplus.is_empty() {
        for ((key, minute, kind), self_time) in std::mem::take(&mut changes.breakdowns) {
            let (kind, is_folded) = value(ids, &key, kind, &surplus, &KIND_LIST);
            if is_folded {
                notes.fold(&key.app_id, KIND_LIST.cap, self_time.count);
            }
            changes.breakdowns.entry((key, minute, kind)).or_default().merge(self_time);
        }
        ids.surplus_kinds = surplus;
    }
    Ok(())
}

/// Returns the value under which a value is counted, and whether others share it.
fn value(
    ids: &TransactionIds,
    key: &TransactionKey,
    value: String,
    surplus: &BTreeSet<Pair>,
    list: &List,
) -> (String, bool) {
    let pair = (ids.names[key], value);
    if surplus.contains(&pair) { (list.others.to_owned(), true) } else { (pair.1, false) }
}

/// Returns the values that are not known and find no free place. Remembers the others, with the day on which they were
/// seen last.
fn surplus(
    connection: &mut Connection,
    list: &List,
    values: BTreeSet<(i64, &str)>,
    day: i64,
) -> Result<BTreeSet<Pair>, StoreError> {
    let values: Vec<(i64, &str)> = values.into_iter().filter(|(_, value)| *value != list.others).collect();
    let row = |(transaction, value): &(i64, &str)| {
        vec![Value::from(*transaction), list.name.into(), (*value).to_owned().into()]
    };
    let known = connection.rows_many(
        "SELECT seen_on FROM kept_values WHERE transaction_id = ? AND list = ? AND value = ?",
        &values.iter().map(row).collect::<Vec<_>>(),
    )?;
    let mut places = Places::new(list.cap);
    let (mut surplus, mut seen) = (BTreeSet::new(), Vec::new());
    for (pair, known) in values.iter().zip(known) {
        let is_seen_today = match known.first() {
            Some(row) => row.try_get::<i64, _>("seen_on")? >= day,
            None if places.take(connection, &pair.0)? => false,
            None => {
                surplus.insert((pair.0, pair.1.to_owned()));
                continue;
            }
        };
        if !is_seen_today {
            seen.push(row(pair).into_iter().chain([day.into()]).collect());
        }
    }
    connection.execute_many(
        "INSERT INTO kept_values (transaction_id, list, value, seen_on) VALUES (?, ?, ?, ?)
         ON CONFLICT (transaction_id, list, value) DO UPDATE SET seen_on = excluded.seen_on",
        &seen,
    )?;
    Ok(surplus)
}

/// The results under which the rows of some transactions are added up. Rows of earlier versions can have any number of
/// results.
#[derive(Debug, Default)]
pub(super) struct ResultsOf {
    known: HashSet<Pair>,
    /// The number of known and new results of each transaction.
    numbers: BTreeMap<i64, i64>,
}

impl ResultsOf {
    /// Reads the known results of transactions.
    pub(super) fn load(connection: &mut Connection, transactions: &[i64]) -> Result<Self, StoreError> {
        let mut select = QueryBuilder::new(
            "SELECT transaction_id, value FROM kept_values WHERE list = 'result' AND transaction_id IN ",
        );
        select.push_integers(transactions);
        let mut results = Self::default();
        for row in select.build().fetch_all(connection)? {
            results.add((row.try_get(0)?, row.try_get(1)?));
        }
        Ok(results)
    }

    /// Returns the result under which a row of a transaction is added up, and whether others share it.
    pub(super) fn of(&mut self, transaction: i64, result: String) -> (Pair, bool) {
        let pair = (transaction, result);
        if pair.1 == OTHER_RESULTS || self.known.contains(&pair) {
            return (pair, false);
        }
        if self.numbers.get(&transaction).is_some_and(|number| *number >= RESULTS.limit) {
            return ((transaction, OTHER_RESULTS.to_owned()), true);
        }
        self.add(pair.clone());
        (pair, false)
    }

    fn add(&mut self, pair: Pair) {
        *self.numbers.entry(pair.0).or_default() += 1;
        self.known.insert(pair);
    }
}

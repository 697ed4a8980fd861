//! Divides the time of a transaction in a kind of span among the signatures that were observed in it, in other bodies.

use std::collections::{BTreeMap, BTreeSet};

use super::SpanFamily;
use super::names::{self, SpanIds};
use super::observed::Observed;
use super::sum::{Share, SpanSum, divide};
use crate::changes::TransactionKey;
use crate::store::counts::unsigned;
use crate::store::engine::{Connection, Row, Value};
use crate::store::error::StoreError;
use crate::store::transactions::TransactionIds;

/// The number of samples of a transaction that suffices to leave out those of the day before.
const ENOUGH_SAMPLES: u64 = 20;

const DAY: i64 = 86_400;

/// The shares of a transaction's kinds as they are stored, by the transaction, the day and the kind.
type Stored = BTreeMap<(i64, i64), BTreeMap<String, Vec<Share<i64>>>>;

/// Sums by app, row of the name, and minute in seconds since 1970.
pub(super) type Sums = BTreeMap<(String, i64, i64), SpanSum>;

/// Returns the sums that a batch adds. The callers of its spans must be stored. `day` is today, in days since 1970.
///
/// A kind's time of which no signature was ever observed in the transaction is left out.
pub(super) fn divide_rest(
    connection: &mut Connection,
    ids: &TransactionIds,
    spans: &SpanIds<'_>,
    observed: &Observed,
    day: i64,
) -> Result<Sums, StoreError> {
    let mut sums = Sums::new();
    for ((app_id, minute), by_name) in &observed.sums {
        for (name, sum) in by_name {
            if let Some(span) = spans.get(&(&**app_id, name)) {
                sums.entry((app_id.clone(), *span, *minute)).or_default().merge(sum);
            }
        }
    }
    let row = |key: &TransactionKey, minute: i64| Some((*ids.names.get(key)?, minute.div_euclid(DAY)));
    let wanted = observed.undivided.keys().filter_map(|(key, minute, _)| row(key, *minute)).collect();
    let stored = stored(connection, wanted)?;
    let mut seen = BTreeSet::new();
    for ((key, minute, kind), all) in &observed.undivided {
        // The signatures of a kind without a row of its own share that of their family.
        let family = SpanFamily::of(kind).map_or("", SpanFamily::name);
        let kinds = row(key, *minute).and_then(|row| stored.get(&row));
        let shares = kinds.and_then(|kinds| kinds.get(kind).or_else(|| kinds.get(family)));
        for (span, sum) in divide(shares.cloned().unwrap_or_default(), *all) {
            sums.entry((key.app_id.clone(), span, *minute)).or_default().merge(&sum);
            seen.insert(span);
        }
    }
    names::see(connection, &seen, day)?;
    Ok(sums)
}

/// Reads the shares of transactions on days: those of the latest day with spans, and of the day before it if there are few
/// samples.
fn stored(connection: &mut Connection, wanted: BTreeSet<(i64, i64)>) -> Result<Stored, StoreError> {
    let rows = connection.rows_many(
        "SELECT spans.kind, span_callers.span_id, span_callers.day, span_callers.count, span_callers.sum_ms,
                span_callers.samples
         FROM span_callers JOIN spans ON spans.id = span_callers.span_id
         WHERE span_callers.transaction_id = ?1 AND span_callers.day <= ?2 AND span_callers.day >= (
             SELECT max(day) - 1 FROM span_callers WHERE transaction_id = ?1 AND day <= ?2)",
        &wanted.iter().map(|(transaction, day)| vec![Value::from(*transaction), (*day).into()]).collect::<Vec<_>>(),
    )?;
    let mut stored = Stored::new();
    for (key, rows) in wanted.into_iter().zip(rows) {
        let rows: Vec<StoredRow> = rows.iter().map(StoredRow::read).collect::<Result<_, _>>()?;
        let latest = rows.iter().map(|row| row.day).max().unwrap_or_default();
        let samples = rows.iter().filter(|row| row.day == latest).map(|row| row.samples).max().unwrap_or_default();
        let is_used = |row: &StoredRow| row.day == latest || samples < ENOUGH_SAMPLES;
        let kinds = stored.entry(key).or_default();
        for StoredRow { kind, share, .. } in rows.into_iter().filter(is_used) {
            let shares: &mut Vec<Share<i64>> = kinds.entry(kind).or_default();
            match shares.iter_mut().find(|known| known.of == share.of) {
                Some(known) => (known.count, known.sum_ms) = (known.count + share.count, known.sum_ms + share.sum_ms),
                None => shares.push(share),
            }
        }
    }
    Ok(stored)
}

/// The spans of one name in a transaction on a day.
struct StoredRow {
    kind: String,
    day: i64,
    samples: u64,
    share: Share<i64>,
}

impl StoredRow {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let count: i64 = row.try_get("count")?;
        let share = Share { of: row.try_get("span_id")?, count: count as f64, sum_ms: row.try_get("sum_ms")? };
        let samples = unsigned(row.try_get("samples")?);
        Ok(Self { kind: row.try_get("kind")?, day: row.try_get("day")?, samples, share })
    }
}

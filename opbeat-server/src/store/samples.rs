//! Sampled transactions, of which a few are kept for each transaction and hour.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::counts::signed;
use super::engine::{Connection, Value};
use super::error::StoreError;
use super::ids::{self, Content, TimedRow};
use super::span_stacks::Uses;
use super::transactions::TransactionIds;
use crate::changes::{NewSample, pack};
use crate::result_class::ResultClass;

/// The number of slowest, of failed and of newest samples that are kept of each transaction and hour.
const KEPT: i64 = 5;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Adds samples, and removes those that are not kept from the same hours. Returns the stacks that they refer to.
pub(super) fn write(
    connection: &mut Connection,
    transactions: &TransactionIds,
    samples: &[NewSample],
) -> Result<Uses, StoreError> {
    let mut uses = Uses::default();
    let mut hours: Vec<(i64, i64)> = Vec::new();
    let samples = kept(connection, transactions, samples)?;
    let mut rows = Vec::with_capacity(samples.len());
    for sample in samples {
        let transaction = transactions.names[&sample.transaction];
        // A document that is no JSON has no trace and no sites.
        let traced: Traced = serde_json::from_slice(&sample.document).unwrap_or_default();
        rows.push(row(transaction, sample, &traced)?);
        uses.extend(&sample.transaction.app_id, traced.groups.into_iter().flat_map(|group| group.sites));
        hours.push((transaction, hour_of(sample)));
    }
    ids::insert(
        connection,
        "INSERT INTO samples (id, transaction_id, happened_at, duration_ms, result, outcome, failed, external_id,
                              average_of, trace_id, document)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
        rows,
    )?;
    hours.sort_unstable();
    hours.dedup();
    remove_surplus(connection, &hours)?;
    Ok(uses)
}

/// Returns the new samples without those that [`remove_surplus`] would remove at once because of others of them: a batch
/// has many of each transaction.
fn kept<'s>(
    connection: &mut Connection,
    transactions: &TransactionIds,
    samples: &'s [NewSample],
) -> Result<Vec<&'s NewSample>, StoreError> {
    let mut hours: BTreeMap<(i64, i64), Vec<usize>> = BTreeMap::new();
    for (position, sample) in samples.iter().enumerate() {
        hours.entry((transactions.names[&sample.transaction], hour_of(sample))).or_default().push(position);
    }
    let mut left: BTreeSet<usize> = BTreeSet::new();
    for ((transaction, _), positions) in hours.iter().filter(|(_, positions)| positions.len() > KEPT as usize) {
        let id = |position: usize| {
            let sample = &samples[position];
            ids::first_choice(sample.happened_at, &content(*transaction, sample))
        };
        let of_hour: Vec<(usize, i64)> = positions.iter().map(|position| (*position, id(*position))).collect();
        let mut newest = of_hour.clone();
        newest.sort_unstable_by_key(|(position, id)| Reverse((samples[*position].happened_at, *id)));
        let failed = newest.iter().filter(|(position, _)| is_failed(&samples[*position]));
        let mut chosen: BTreeSet<usize> = failed.take(KEPT as usize).map(|(position, _)| *position).collect();
        chosen.extend(newest.iter().take(KEPT as usize).map(|(position, _)| *position));
        let mut slowest = of_hour;
        slowest.sort_unstable_by(|(a, a_id), (b, b_id)| {
            samples[*b].duration_ms.total_cmp(&samples[*a].duration_ms).then(a_id.cmp(b_id))
        });
        chosen.extend(slowest.iter().take(KEPT as usize).map(|(position, _)| *position));
        left.extend(positions.iter().filter(|position| !chosen.contains(position)));
    }
    // An error's page links to these.
    let referred: Vec<usize> = left.iter().copied().filter(|left| !samples[*left].external_id.is_empty()).collect();
    let rows = connection.rows_many(
        "SELECT 1 FROM error_occurrences WHERE transaction_external_id = ? AND transaction_external_id <> '' LIMIT 1",
        &referred.iter().map(|position| vec![Value::from(&samples[*position].external_id)]).collect::<Vec<_>>(),
    )?;
    for (position, _) in referred.iter().zip(rows).filter(|(_, rows)| !rows.is_empty()) {
        left.remove(position);
    }
    Ok(samples.iter().enumerate().filter(|(position, _)| !left.contains(position)).map(|(_, sample)| sample).collect())
}

fn hour_of(sample: &NewSample) -> i64 {
    sample.happened_at - sample.happened_at.rem_euclid(HOUR)
}

fn is_failed(sample: &NewSample) -> bool {
    [&sample.result, &sample.outcome].into_iter().any(|text| ResultClass::of(text).is_failed())
}

fn content(transaction: i64, sample: &NewSample) -> Content {
    Content::of([
        &transaction.to_le_bytes()[..],
        &sample.happened_at.to_le_bytes(),
        &sample.duration_ms.to_le_bytes(),
        sample.external_id.as_bytes(),
        &sample.document,
    ])
}

fn row<'s>(transaction: i64, sample: &'s NewSample, traced: &Traced) -> Result<TimedRow<'s>, StoreError> {
    let values = vec![
        Value::from(transaction),
        sample.happened_at.into(),
        sample.duration_ms.into(),
        (&sample.result).into(),
        (&sample.outcome).into(),
        is_failed(sample).into(),
        (&sample.external_id).into(),
        signed(sample.average_of).into(),
        trace_id(traced).into(),
        pack(&sample.document)?.into(),
    ];
    Ok(TimedRow { happened_at: sample.happened_at, content: content(transaction, sample), values })
}

/// The parts of a sample's document that the store looks at.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Traced {
    context: TracedContext,
    groups: Vec<TracedGroup>,
}

#[derive(Debug, Default, Deserialize)]
struct TracedContext {
    trace_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct TracedGroup {
    #[serde(default)]
    sites: Vec<String>,
}

/// Returns the id of a sample's trace: 32 hexadecimal digits, or an empty string.
fn trace_id(traced: &Traced) -> String {
    let id = traced.context.trace_id.as_deref().unwrap_or_default();
    let is_valid = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_valid { id.to_ascii_lowercase() } else { String::new() }
}

/// Removes the samples of transactions and hours that are not kept.
///
/// Samples that an error refers to are kept as well, since the error's page links to them.
fn remove_surplus(connection: &mut Connection, hours: &[(i64, i64)]) -> Result<(), StoreError> {
    let row = |(transaction, hour): &(i64, i64)| [*transaction, *hour, hour + HOUR, KEPT].map(Value::from).to_vec();
    connection.execute_many(
        "WITH candidates AS (
             SELECT id, duration_ms, happened_at, external_id, failed
             FROM samples WHERE transaction_id = ?1 AND happened_at >= ?2 AND happened_at < ?3
         )
         DELETE FROM samples WHERE transaction_id = ?1 AND happened_at >= ?2 AND happened_at < ?3 AND id IN (
             SELECT id FROM candidates
             WHERE id NOT IN (SELECT id FROM candidates ORDER BY duration_ms DESC, id LIMIT ?4)
               AND id NOT IN (SELECT id FROM candidates ORDER BY happened_at DESC, id DESC LIMIT ?4)
               AND id NOT IN (SELECT id FROM candidates WHERE failed <> 0 ORDER BY happened_at DESC, id DESC LIMIT ?4)
               AND NOT EXISTS (
                   SELECT 1 FROM error_occurrences
                   WHERE external_id <> '' AND transaction_external_id = external_id AND transaction_external_id <> ''
               )
         )",
        &hours.iter().map(row).collect::<Vec<_>>(),
    )?;
    Ok(())
}

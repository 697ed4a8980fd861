//! Sampled transactions, of which a few are kept for each transaction and hour, and the stacks of their spans.

use serde::Deserialize;

use super::document;
use super::engine::{Connection, query};
use super::error::StoreError;
use super::rollups::{TransactionIds, signed};
use crate::changes::{NewSample, NewSpanStack};
use crate::result_class::ResultClass;

/// The number of slowest, of failed and of newest samples that are kept of each transaction and hour.
const KEPT: i64 = 5;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// Adds samples, and removes those that are not kept from the same hours.
pub(super) fn write(
    connection: &mut Connection,
    ids: &TransactionIds,
    samples: &[NewSample],
) -> Result<(), StoreError> {
    let mut hours: Vec<(i64, i64)> = Vec::new();
    for sample in samples {
        let transaction = ids[&sample.transaction];
        insert(connection, transaction, sample)?;
        hours.push((transaction, sample.happened_at - sample.happened_at.rem_euclid(HOUR)));
    }
    hours.sort_unstable();
    hours.dedup();
    for (transaction, hour) in hours {
        remove_surplus(connection, transaction, hour)?;
    }
    Ok(())
}

fn insert(connection: &mut Connection, transaction: i64, sample: &NewSample) -> Result<(), StoreError> {
    let is_failed = [&sample.result, &sample.outcome].into_iter().any(|text| ResultClass::of(text).is_failed());
    query(
        "INSERT INTO samples (transaction_id, happened_at, duration_ms, result, outcome, failed, external_id, average_of,
                              trace_id, document)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(transaction)
    .bind(sample.happened_at)
    .bind(sample.duration_ms)
    .bind(&sample.result)
    .bind(&sample.outcome)
    .bind(is_failed)
    .bind(&sample.external_id)
    .bind(signed(sample.average_of))
    .bind(trace_id(&sample.document))
    .bind(document::pack(&sample.document)?)
    .execute(connection)?;
    Ok(())
}

/// Returns the id of the trace in a sample's document: 32 hexadecimal digits, or an empty string.
fn trace_id(document: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Traced {
        context: TracedContext,
    }
    #[derive(Deserialize)]
    struct TracedContext {
        trace_id: Option<String>,
    }
    let traced: Option<Traced> = serde_json::from_slice(document).ok();
    let id = traced.and_then(|traced| traced.context.trace_id).unwrap_or_default();
    let is_valid = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_valid { id.to_ascii_lowercase() } else { String::new() }
}

/// Removes the samples of a transaction and an hour that are not kept.
///
/// Samples that an error refers to are kept as well, since the error's page links to them.
fn remove_surplus(connection: &mut Connection, transaction: i64, hour: i64) -> Result<(), StoreError> {
    query(
        "WITH candidates AS (
             SELECT id, duration_ms, happened_at, external_id, failed
             FROM samples WHERE transaction_id = ? AND happened_at >= ? AND happened_at < ?
         )
         DELETE FROM samples WHERE id IN (
             SELECT id FROM candidates
             WHERE id NOT IN (SELECT id FROM candidates ORDER BY duration_ms DESC LIMIT ?)
               AND id NOT IN (SELECT id FROM candidates ORDER BY happened_at DESC LIMIT ?)
               AND id NOT IN (SELECT id FROM candidates WHERE failed ORDER BY happened_at DESC LIMIT ?)
               AND NOT EXISTS (
                   SELECT 1 FROM error_occurrences
                   WHERE external_id <> '' AND transaction_external_id = external_id AND transaction_external_id <> ''
               )
         )",
    )
    .bind(transaction)
    .bind(hour)
    .bind(hour + HOUR)
    .bind(KEPT)
    .bind(KEPT)
    .bind(KEPT)
    .execute(connection)?;
    Ok(())
}

/// Stores the stack of each site: agents send each stack once per process.
pub(super) fn write_span_stacks(connection: &mut Connection, stacks: &[NewSpanStack]) -> Result<(), StoreError> {
    for stack in stacks {
        query("INSERT OR REPLACE INTO span_stacks (app_id, site, frames) VALUES (?, ?, ?)")
            .bind(&stack.app_id)
            .bind(&stack.site)
            .bind(String::from_utf8_lossy(&stack.frames))
            .execute(&mut *connection)?;
    }
    Ok(())
}

//! Sampled transactions: some of each name and hour.

use sqlx::SqliteConnection;

use super::rollups::TransactionIds;
use super::{NewSample, StoreError, document};
use crate::result_class::ResultClass;

/// Of each name and hour so many of the slowest, of the failed and of the newest samples are kept.
const KEPT: i64 = 5;

const HOUR: i64 = 3_600_000_000;

pub(super) async fn write(
    connection: &mut SqliteConnection,
    ids: &TransactionIds,
    samples: &[NewSample],
) -> Result<(), StoreError> {
    let mut hours: Vec<(i64, i64)> = Vec::new();
    for sample in samples {
        let transaction = ids[&sample.transaction];
        insert(connection, transaction, sample).await?;
        hours.push((transaction, sample.happened_at - sample.happened_at.rem_euclid(HOUR)));
    }
    hours.sort_unstable();
    hours.dedup();
    for (transaction, hour) in hours {
        thin_out(connection, transaction, hour).await?;
    }
    Ok(())
}

async fn insert(connection: &mut SqliteConnection, transaction: i64, sample: &NewSample) -> Result<(), StoreError> {
    let is_failed = [&sample.result, &sample.outcome].into_iter().any(|text| ResultClass::of(text).is_failed());
    sqlx::query(
        "INSERT INTO samples (transaction_id, happened_at, duration_ms, result, outcome, failed, external_id, document)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(transaction)
    .bind(sample.happened_at)
    .bind(sample.duration_ms)
    .bind(&sample.result)
    .bind(&sample.outcome)
    .bind(is_failed)
    .bind(&sample.external_id)
    .bind(document::pack(&sample.document)?)
    .execute(connection)
    .await?;
    Ok(())
}

/// Keeps the samples that an error points at as well: they are what somebody will look for.
async fn thin_out(connection: &mut SqliteConnection, transaction: i64, hour: i64) -> Result<(), StoreError> {
    sqlx::query(
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
    .execute(connection)
    .await?;
    Ok(())
}

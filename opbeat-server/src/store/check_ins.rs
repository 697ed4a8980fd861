//! Runs of scheduled jobs.

use sqlx::SqliteConnection;

use super::error::StoreError;
use crate::changes::NewCheckIn;

/// The number of newest runs that are kept of each monitor.
const KEPT: i64 = 100;

/// Adds runs, completes runs that have ended, and removes those that are not kept.
pub(super) async fn write(connection: &mut SqliteConnection, check_ins: &[NewCheckIn]) -> Result<(), StoreError> {
    for check_in in check_ins {
        put(connection, check_in).await?;
        remove_surplus(connection, check_in).await?;
    }
    Ok(())
}

/// Adds a run. The start of a run that arrives after its end changes nothing.
async fn put(connection: &mut SqliteConnection, check_in: &NewCheckIn) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO check_ins (app_id, monitor, started_at, schedule, time_zone, grace_seconds, duration_ms, result)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (app_id, monitor, started_at) DO UPDATE SET
             duration_ms = excluded.duration_ms, result = excluded.result
         WHERE excluded.duration_ms IS NOT NULL",
    )
    .bind(&check_in.app_id)
    .bind(&check_in.monitor)
    .bind(check_in.started_at)
    .bind(&check_in.schedule)
    .bind(&check_in.time_zone)
    .bind(check_in.grace_seconds)
    .bind(check_in.duration_ms)
    .bind(&check_in.result)
    .execute(connection)
    .await?;
    Ok(())
}

async fn remove_surplus(connection: &mut SqliteConnection, check_in: &NewCheckIn) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM check_ins WHERE app_id = ?1 AND monitor = ?2 AND started_at <= (
             SELECT started_at FROM check_ins WHERE app_id = ?1 AND monitor = ?2
             ORDER BY started_at DESC LIMIT 1 OFFSET ?3
         )",
    )
    .bind(&check_in.app_id)
    .bind(&check_in.monitor)
    .bind(KEPT)
    .execute(connection)
    .await?;
    Ok(())
}

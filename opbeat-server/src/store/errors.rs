//! Errors, grouped by their fingerprint.

use sqlx::{Row, SqliteConnection};

use super::document;
use super::error::StoreError;
use super::rollups::RESOLUTIONS;
use crate::changes::NewError;

/// The number of newest occurrences that are kept of each group, besides the first one.
const MAX_NEWEST: i64 = 50;

/// Adds errors to their groups, and creates the groups that are missing.
pub(super) async fn write(connection: &mut SqliteConnection, errors: &[NewError]) -> Result<(), StoreError> {
    for error in errors {
        let group = match find_group(connection, error).await? {
            Some(group) => update_group(connection, group, error).await?,
            None => create_group(connection, error).await?,
        };
        count(connection, group, error).await?;
        insert_occurrence(connection, group, error).await?;
    }
    Ok(())
}

async fn find_group(connection: &mut SqliteConnection, error: &NewError) -> Result<Option<i64>, StoreError> {
    let row = sqlx::query("SELECT id FROM error_groups WHERE app_id = ? AND fingerprint = ?")
        .bind(&error.app_id)
        .bind(&error.fingerprint)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// A group shows the message and the culprit of its latest occurrence.
async fn update_group(connection: &mut SqliteConnection, group: i64, error: &NewError) -> Result<i64, StoreError> {
    sqlx::query(
        "UPDATE error_groups SET
             times_seen = times_seen + ?5,
             message = CASE WHEN ?1 >= last_seen THEN ?2 ELSE message END,
             culprit = CASE WHEN ?1 >= last_seen THEN ?3 ELSE culprit END,
             first_seen = min(first_seen, ?1), last_seen = max(last_seen, ?1)
         WHERE id = ?4",
    )
    .bind(error.happened_at)
    .bind(&error.message)
    .bind(&error.culprit)
    .bind(group)
    .bind(error.occurrences)
    .execute(connection)
    .await?;
    Ok(group)
}

async fn create_group(connection: &mut SqliteConnection, error: &NewError) -> Result<i64, StoreError> {
    let number = sqlx::query(
        "UPDATE apps SET next_error_number = next_error_number + 1 WHERE id = ? RETURNING next_error_number - 1",
    )
    .bind(&error.app_id)
    .fetch_one(&mut *connection)
    .await?;
    let row = sqlx::query(
        "INSERT INTO error_groups
             (app_id, number, fingerprint, type_name, message, culprit, level, first_seen, last_seen, times_seen)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8, ?9) RETURNING id",
    )
    .bind(&error.app_id)
    .bind(number.try_get::<i64, _>(0)?)
    .bind(&error.fingerprint)
    .bind(&error.type_name)
    .bind(&error.message)
    .bind(&error.culprit)
    .bind(if error.level.is_empty() { "error" } else { &error.level })
    .bind(error.happened_at)
    .bind(error.occurrences)
    .fetch_one(connection)
    .await?;
    Ok(row.try_get(0)?)
}

async fn count(connection: &mut SqliteConnection, group: i64, error: &NewError) -> Result<(), StoreError> {
    let second = error.happened_at.div_euclid(1_000_000);
    for resolution in RESOLUTIONS {
        sqlx::query(
            "INSERT INTO error_rollups (group_id, resolution, start, count) VALUES (?, ?, ?, ?)
             ON CONFLICT (group_id, resolution, start) DO UPDATE SET count = count + excluded.count",
        )
        .bind(group)
        .bind(resolution)
        .bind(second - second.rem_euclid(resolution))
        .bind(error.occurrences)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn insert_occurrence(connection: &mut SqliteConnection, group: i64, error: &NewError) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO error_occurrences
             (group_id, happened_at, transaction_name, transaction_external_id, client_supplied_id, notes, document)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(group)
    .bind(error.happened_at)
    .bind(&error.transaction_name)
    .bind(&error.transaction_external_id)
    .bind(&error.external_id)
    .bind(String::from_utf8_lossy(&error.notes))
    .bind(document::pack(&error.document)?)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "DELETE FROM error_occurrences
         WHERE group_id = ?1
           AND id <> (SELECT min(id) FROM error_occurrences WHERE group_id = ?1)
           AND id NOT IN (SELECT id FROM error_occurrences WHERE group_id = ?1 ORDER BY id DESC LIMIT ?2)",
    )
    .bind(group)
    .bind(MAX_NEWEST)
    .execute(connection)
    .await?;
    Ok(())
}

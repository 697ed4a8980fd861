//! What agents recorded and could not deliver.

use std::collections::BTreeMap;

use sqlx::SqliteConnection;

use super::StoreError;
use super::changes::LossKey;

pub(super) async fn write(
    connection: &mut SqliteConnection,
    losses: &BTreeMap<LossKey, u64>,
) -> Result<(), StoreError> {
    for (key, count) in losses {
        sqlx::query(
            "INSERT INTO losses (app_id, start, what, count) VALUES (?, ?, ?, ?)
             ON CONFLICT (app_id, start, what) DO UPDATE SET count = count + excluded.count",
        )
        .bind(&key.app_id)
        .bind(key.minute)
        .bind(&key.what)
        .bind(i64::try_from(*count).unwrap_or(i64::MAX))
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

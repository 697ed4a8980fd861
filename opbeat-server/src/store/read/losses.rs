//! What agents recorded and could not deliver.

use std::collections::BTreeMap;

use sqlx::Row;

use crate::store::rollups::unsigned;
use crate::store::{Store, StoreError};

impl Store {
    /// Returns how much of what an app's agents left out, as they said in a time (seconds since 1970).
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub async fn losses(&self, app_id: &str, (from, to): (i64, i64)) -> Result<BTreeMap<String, u64>, StoreError> {
        let rows = sqlx::query(
            "SELECT what, sum(count) AS count FROM losses WHERE app_id = ? AND start >= ? AND start < ? GROUP BY what",
        )
        .bind(app_id)
        .bind(from)
        .bind(to)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok((row.try_get("what")?, unsigned(row.try_get("count")?)))).collect()
    }
}

//! What is kept no longer.

use super::{Store, StoreError};

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Samples are for looking at, soon.
const SAMPLE_DAYS: i64 = 14;

/// Longer ranges are drawn from hours.
const MINUTE_DAYS: i64 = 14;

/// What agents left out matters for as long as somebody wonders about figures.
const LOSS_DAYS: i64 = 90;

/// Agents repeat a delivery within minutes; a day is generous.
const KEY_DAYS: i64 = 1;

impl Store {
    /// Removes what is kept no longer: samples and minutes after 14 days, losses after 90,
    /// idempotency keys after one.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the database fails.
    pub async fn remove_old(&self, now: i64) -> Result<(), StoreError> {
        let second = now / MICROS;
        let statements = [
            ("DELETE FROM samples WHERE happened_at < ?", now - SAMPLE_DAYS * DAY * MICROS),
            ("DELETE FROM rollups WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM breakdowns WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM error_rollups WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM losses WHERE start < ?", second - LOSS_DAYS * DAY),
            ("DELETE FROM stored_bodies WHERE stored_at < ?", now - KEY_DAYS * DAY * MICROS),
        ];
        for (statement, before) in statements {
            sqlx::query(statement).bind(before).execute(&self.writer).await?;
        }
        Ok(())
    }
}

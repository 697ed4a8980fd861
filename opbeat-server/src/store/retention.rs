//! Removes old rows.

use super::database::Store;
use super::error::StoreError;
use crate::changes::MINUTES_KEPT;

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Drops explain why figures are too low. They are kept longer than samples, since people compare figures of months.
const DROP_DAYS: i64 = 90;

/// Agents repeat a delivery within minutes, so that a day is more than enough.
const KEY_DAYS: i64 = 1;

impl Store {
    /// Removes samples and rows by minute after 14 days, drops after 90 days, and idempotency keys after one day.
    ///
    /// `now` is in microseconds since 1970.
    pub(crate) async fn remove_old(&self, now: i64) -> Result<(), StoreError> {
        let second = now / MICROS;
        let statements = [
            ("DELETE FROM samples WHERE happened_at < ?", now - MINUTES_KEPT * MICROS),
            ("DELETE FROM rollups WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM breakdowns WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM error_rollups WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM drops WHERE start < ?", second - DROP_DAYS * DAY),
            ("DELETE FROM stored_bodies WHERE stored_at < ?", now - KEY_DAYS * DAY * MICROS),
        ];
        for (statement, before) in statements {
            sqlx::query(statement).bind(before).execute(&self.writer).await?;
        }
        Ok(())
    }
}

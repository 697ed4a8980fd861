//! Removes old rows.

use super::database::Store;
use super::error::StoreError;

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Samples are looked at soon after they were recorded.
const SAMPLE_DAYS: i64 = 14;

/// Charts of longer ranges use the hourly rows.
const MINUTE_DAYS: i64 = 14;

/// Drops explain why figures are too low. They are kept longer than samples, since people compare figures of months.
const DROP_DAYS: i64 = 90;

/// Machines come and go, but people compare the figures of a year.
const DEPLOYMENT_DAYS: i64 = 400;

/// Agents repeat a delivery within minutes, so that a day is more than enough.
const KEY_DAYS: i64 = 1;

impl Store {
    /// Removes samples and rows by minute after 14 days, drops and notes after 90 days, deployments after 400 days, and
    /// idempotency keys after one day.
    ///
    /// `now` is in microseconds since 1970.
    pub(crate) async fn remove_old(&self, now: i64) -> Result<(), StoreError> {
        let second = now / MICROS;
        let statements = [
            ("DELETE FROM samples WHERE happened_at < ?", now - SAMPLE_DAYS * DAY * MICROS),
            ("DELETE FROM rollups WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM breakdowns WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM error_rollups WHERE resolution = 60 AND start < ?", second - MINUTE_DAYS * DAY),
            ("DELETE FROM drops WHERE start < ?", second - DROP_DAYS * DAY),
            ("DELETE FROM intake_notes WHERE start < ?", second - DROP_DAYS * DAY),
            ("DELETE FROM deployment_machines WHERE received_at < ?", now - DEPLOYMENT_DAYS * DAY * MICROS),
            ("DELETE FROM deployments WHERE received_at < ?", now - DEPLOYMENT_DAYS * DAY * MICROS),
            ("DELETE FROM stored_bodies WHERE stored_at < ?", now - KEY_DAYS * DAY * MICROS),
        ];
        for (statement, before) in statements {
            sqlx::query(statement).bind(before).execute(&self.writer).await?;
        }
        Ok(())
    }
}

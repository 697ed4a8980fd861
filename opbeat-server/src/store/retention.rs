//! Removes old rows.

use super::database::Store;
use super::engine::query;
use super::error::StoreError;
use super::rollups::signed;
use crate::changes::{MAX_COUNT, MINUTES_KEPT};

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Drops explain why figures are too low. They are kept longer than samples, since people compare figures of months.
const DROP_DAYS: i64 = 90;

/// Machines come and go, but people compare the figures of a year.
const DEPLOYMENT_DAYS: i64 = 400;

/// A job may run once a year.
const CHECK_IN_DAYS: i64 = 400;

/// Agents repeat a delivery within minutes, so that a day is more than enough.
const KEY_DAYS: i64 = 1;

/// Exporters send the spans of a trace within seconds.
const TRACE_SECONDS: i64 = 3_600;

/// The largest step back of a clock that counts as steady, in microseconds. Time servers correct clocks by less.
const MAX_BACK: i64 = 3_600 * MICROS;

/// The longest time between two removals while the clock counts as steady, in microseconds.
const MAX_AHEAD: i64 = 2 * DAY * MICROS;

impl Store {
    /// Removes samples and rows by minute after 14 days, drops and notes after 90 days, deployments and
    /// check-ins after 400 days, idempotency keys after one day, and the spans of unfinished traces after an hour, which count as dropped.
    ///
    /// Removes nothing until the clock has been steady for a day: a clock that jumps ahead would make all rows old.
    ///
    /// `now` is in microseconds since 1970.
    pub(crate) async fn remove_old(&self, now: i64) -> Result<(), StoreError> {
        if !self.is_clock_steady(now).await? {
            return Ok(());
        }
        let second = now / MICROS;
        let statements = [
            ("DELETE FROM samples WHERE happened_at < ?", now - MINUTES_KEPT * MICROS),
            ("DELETE FROM rollups WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM breakdowns WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM error_rollups WHERE resolution = 60 AND start < ?", second - MINUTES_KEPT),
            ("DELETE FROM drops WHERE start < ?", second - DROP_DAYS * DAY),
            ("DELETE FROM intake_notes WHERE start < ?", second - DROP_DAYS * DAY),
            ("DELETE FROM joined_transactions WHERE received_at < ?", now - TRACE_SECONDS * MICROS),
            ("DELETE FROM trace_exceptions WHERE received_at < ?", now - TRACE_SECONDS * MICROS),
            ("DELETE FROM deployment_machines WHERE received_at < ?", now - DEPLOYMENT_DAYS * DAY * MICROS),
            ("DELETE FROM deployments WHERE received_at < ?", now - DEPLOYMENT_DAYS * DAY * MICROS),
            ("DELETE FROM check_ins WHERE started_at < ?", now - CHECK_IN_DAYS * DAY * MICROS),
            ("DELETE FROM stored_bodies WHERE stored_at < ?", now - KEY_DAYS * DAY * MICROS),
        ];
        for (statement, before) in statements {
            query(statement).bind(before).run(&self.writer).await?;
        }
        self.remove_pending(now - TRACE_SECONDS * MICROS).await
    }

    /// Removes the pending spans that were received before a time, and counts them as dropped.
    async fn remove_pending(&self, before: i64) -> Result<(), StoreError> {
        self.write(move |connection| {
            query(
                "INSERT INTO drops (app_id, start, reason, count)
             SELECT app_id, received_at / 60000000 * 60, 'spans', count(*) FROM pending_spans WHERE received_at < ?1
             GROUP BY 1, 2
             ON CONFLICT (app_id, start, reason) DO UPDATE SET count = min(count + excluded.count, ?2)",
            )
            .bind(before)
            .bind(signed(MAX_COUNT))
            .execute(connection)?;
            query("DELETE FROM pending_spans WHERE received_at < ?").bind(before).execute(connection)?;
            Ok(())
        })
        .await
    }

    /// Returns whether the clock has not jumped for a day. A pause of the server of more than two days counts as a jump.
    async fn is_clock_steady(&self, now: i64) -> Result<bool, StoreError> {
        let row = query(
            "INSERT INTO clock (id, seen_at, steady_since) VALUES (1, ?1, ?1)
             ON CONFLICT (id) DO UPDATE SET
                 steady_since = CASE WHEN ?1 BETWEEN seen_at - ?2 AND seen_at + ?3 THEN steady_since ELSE ?1 END,
                 seen_at = ?1
             RETURNING steady_since",
        )
        .bind(now)
        .bind(MAX_BACK)
        .bind(MAX_AHEAD)
        .read_one(&self.writer)
        .await?;
        let since: i64 = row.try_get(0)?;
        Ok(now.saturating_sub(since) >= DAY * MICROS)
    }
}

#[cfg(test)]
impl Store {
    /// Returns whether [`Store::remove_old`] was called since the database was created. Each call looks at the clock.
    pub(crate) async fn has_removed_old(&self) -> bool {
        query("SELECT 1 FROM clock").read_optional(&self.readers).await.unwrap().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::NewApp;

    const HOUR: i64 = 3_600 * MICROS;

    /// Removes old rows at a time in hours, and returns the number of rows that are left.
    async fn rows_left_at(store: &Store, hour: i64) -> i64 {
        store.remove_old(hour * HOUR).await.unwrap();
        let left = query("SELECT count(*) FROM stored_bodies").read_one(&store.writer).await.unwrap();
        left.try_get(0).unwrap()
    }

    #[tokio::test]
    async fn a_clock_that_jumps_removes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("a.sqlite")).await;
        let year = 365 * 24;
        let rows = format!("INSERT INTO stored_bodies VALUES ('a', 'old', 0), ('a', 'new', {})", (year + 30) * HOUR);
        query(rows).run(&store.writer).await.unwrap();
        for hour in year..year + 24 {
            assert_eq!(rows_left_at(&store, hour).await, 2, "the first day");
        }
        for jump in [2 * year, year + 20, 3 * year, year + 30] {
            assert_eq!(rows_left_at(&store, jump).await, 2, "after a jump");
        }
        for hour in year + 31..year + 54 {
            assert_eq!(rows_left_at(&store, hour).await, 2, "the day after the jumps");
        }
        assert_eq!(rows_left_at(&store, year + 54).await, 1);
        store.close().await;
    }

    #[tokio::test]
    async fn pending_spans_that_are_removed_count_as_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_file(&folder.path().join("a.sqlite")).await;
        let (organization, app) = ("acme".to_owned(), "shop".to_owned());
        let new = NewApp { organization, app, organization_id: None, app_id: None };
        let app = store.create_app(&new, &[0; 32], 0).await.unwrap();
        for (span, received_at) in [(1_u8, 0), (2, HOUR), (3, HOUR), (4, 24 * HOUR)] {
            let insert = "INSERT INTO pending_spans (app_id, trace_id, span_id, received_at, document)
                          VALUES (?, x'07', ?, ?, x'')";
            query(insert).bind(&app.app_id).bind(&[span; 8][..]).bind(received_at).run(&store.writer).await.unwrap();
        }
        for hour in 0..=24 {
            store.remove_old(hour * HOUR).await.unwrap();
        }
        let drops = query("SELECT start, count FROM drops WHERE reason = 'spans' ORDER BY start");
        let drops = drops.read_all(&store.writer).await.unwrap();
        let drops: Vec<(i64, i64)> =
            drops.iter().map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap())).collect();
        assert_eq!(drops, [(0, 1), (3_600, 2)]);
        store.close().await;
    }
}

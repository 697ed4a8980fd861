//! Removes old rows.

use std::collections::BTreeSet;

use super::counts::signed;
use super::database::Store;
use super::day_of;
use super::engine::{Connection, query};
use super::error::{Cause, StoreError};
use super::expiry::{CHUNK, sample_seconds};
use super::locks::{is_first, lock_app};
use super::partitions;
use super::settings::{AppSettings, Setting};
use super::spans;
use crate::changes::MAX_COUNT;

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// Drops explain why figures are too low. They are kept longer than samples, since people compare figures of months.
const DROP_DAYS: i64 = 90;

/// Machines come and go, but people compare the figures of a year.
const DEPLOYMENT_DAYS: i64 = 400;

/// A job may run once a year.
const CHECK_IN_DAYS: i64 = 400;

/// Rights may be questioned a year later.
const AUDIT_DAYS: i64 = 400;

/// People ask for some weeks whether a message was sent.
const NOTIFICATION_DAYS: i64 = 30;

/// A budget is of an hour, and says for another one that messages were suppressed.
const BUDGET_DAYS: i64 = 1;

/// An expired invitation is shown for a while, so that somebody sees that it has to be repeated.
const INVITATION_DAYS: i64 = 30;

/// Quotas are about a year at most.
const USAGE_DAYS: i64 = 400;

/// Agents repeat a delivery within minutes, so that a day is more than enough.
const KEY_DAYS: i64 = 1;

/// A queue delivers a record again after the pause of a worker or of the queue, which may take days.
const RECORD_DAYS: i64 = 7;

/// Results and kinds of spans that nobody sends any more make room for others.
const VALUE_DAYS: i64 = 30;

/// Exporters send the spans of a trace within seconds.
const TRACE_SECONDS: i64 = 3_600;

/// The largest step back of a clock that counts as steady, in microseconds. Time servers correct clocks by less.
const MAX_BACK: i64 = 3_600 * MICROS;

/// The longest time between two removals while the clock counts as steady, in microseconds.
const MAX_AHEAD: i64 = 2 * DAY * MICROS;

impl Store {
    /// Removes old rows: drops and notes after 90 days, deployments, check-ins, usage and the audit log after 400 days, idempotency keys
    /// after one day, and the ids of records after a week. Notifications are removed after 30 days. Results and kinds that were not seen for 30 days make
    /// room for others. Spans of unfinished traces are removed after an hour, and count as dropped. The callers of queries are removed after 90 days. The other rows of an app are
    /// removed as its settings say.
    ///
    /// Removes nothing until the clock has been steady for a day: a clock that jumps ahead would make all rows old.
    ///
    /// `now` is in microseconds since 1970. The rows by time of apps that are not in `compact` may not be added up to those
    /// of longer times yet, and are kept. The rows of an app that the database rejects do not stop the removal of those of
    /// others. `defaults` are the settings of apps that have none of their own.
    pub(crate) async fn remove_old(
        &self,
        now: i64,
        compact: &BTreeSet<String>,
        defaults: &AppSettings,
    ) -> Result<(), StoreError> {
        if !self.is_clock_steady(now).await? {
            return Ok(());
        }
        let second = now / MICROS;
        let mut settings = self.settings_of_apps().await?;
        for own in settings.values_mut() {
            let missing = defaults.iter().filter(|(setting, _)| !own.contains_key(setting));
            let missing: Vec<_> = missing.map(|(setting, value)| (*setting, *value)).collect();
            own.extend(missing);
        }
        let samples = settings.values().map(sample_seconds).max().unwrap_or(0).max(sample_seconds(defaults));
        let apps = query("SELECT id FROM apps ORDER BY id").read_all(&self.readers).await?;
        let apps: Vec<String> = apps.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        // Partitions have rows of all apps.
        let is_compact = apps.iter().all(|app_id| compact.contains(app_id));
        self.change_partitions(second, samples, is_compact).await;
        let days = |days: i64| now - days * DAY * MICROS;
        let tables = [
            ("drops", "app_id, start, reason", "start", second - DROP_DAYS * DAY),
            ("intake_notes", "app_id, start, action, reason", "start", second - DROP_DAYS * DAY),
            ("usage", "app_id, day", "day", second / DAY - USAGE_DAYS),
            ("joined_transactions", "id", "received_at", now - TRACE_SECONDS * MICROS),
            ("trace_exceptions", "id", "received_at", now - TRACE_SECONDS * MICROS),
            (
                "deployment_machines",
                "app_id, hostname, received_at, deployment_id",
                "received_at",
                days(DEPLOYMENT_DAYS),
            ),
            ("deployments", "id", "received_at", days(DEPLOYMENT_DAYS)),
            ("check_ins", "app_id, monitor, started_at", "started_at", days(CHECK_IN_DAYS)),
            ("audit_log", "id", "happened_at", days(AUDIT_DAYS)),
            ("invitations", "hash", "expires_at", days(INVITATION_DAYS)),
            ("person_sessions", "hash", "expires_at", now),
            ("notifications", "id", "created_at", days(NOTIFICATION_DAYS)),
            ("notification_budgets", "app_id, receiver", "started_at", days(BUDGET_DAYS)),
            ("stored_bodies", "app_id, key", "stored_at", days(KEY_DAYS)),
            ("stored_records", "id", "stored_at", days(RECORD_DAYS)),
            ("kept_values", "transaction_id, list, value", "seen_on", day_of(now) - VALUE_DAYS),
            ("span_callers", "transaction_id, day, span_id", "day", day_of(now) - spans::KEPT_DAYS),
        ];
        for (table, key, age, before) in tables {
            let delete = format!(
                "DELETE FROM {table} WHERE ({key}) IN (SELECT {key} FROM {table} WHERE {age} < ? LIMIT {CHUNK})"
            );
            // Each chunk in a transaction of its own, so that data is stored in between.
            let remove = |delete: String| {
                move |connection: &mut Connection| {
                    let removed =
                        if is_first(connection)? { query(delete).bind(before).execute(connection)? } else { 0 };
                    Ok(removed)
                }
            };
            while self.write(remove(delete.clone())).await? >= CHUNK {}
        }
        self.remove_pending(now - TRACE_SECONDS * MICROS).await?;
        for app_id in apps {
            let settings = settings.get(&app_id).unwrap_or(defaults);
            match self.remove_of_app(&app_id, settings, now, compact.contains(&app_id)).await {
                Err(error) if error.cause() != Cause::Outage => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, app_id, "the old rows of an app cannot be removed; those of others are");
                }
                result => result?,
            }
        }
        self.return_space().await
    }

    /// Removes the old rows of an app, and then those beyond its disk space.
    async fn remove_of_app(
        &self,
        app_id: &str,
        settings: &AppSettings,
        now: i64,
        is_compact: bool,
    ) -> Result<(), StoreError> {
        self.remove_old_of(app_id, settings, now, is_compact).await?;
        match settings.get(&Setting::DiskBytes) {
            Some(bytes) => self.keep_budget(app_id, *bytes, now).await,
            None => Ok(()),
        }
    }

    /// Removes the partitions of PostgreSQL that are old, and creates those of the next months. Some app keeps its samples
    /// for the number of seconds. A failure is no reason to keep other old rows.
    async fn change_partitions(&self, second: i64, samples: i64, is_compact: bool) {
        let change = move |connection: &mut Connection| {
            let dropped = partitions::drop_old(connection, second, second - samples, is_compact);
            dropped.and(partitions::create_missing(connection, second))
        };
        if let Err(error) = self.writer.run(change).await {
            tracing::warn!(%error, "partitions cannot be changed; it is tried again in an hour");
        }
    }

    /// Removes the pending spans that were received before a time, and counts them as dropped.
    async fn remove_pending(&self, before: i64) -> Result<(), StoreError> {
        let apps =
            query("SELECT DISTINCT app_id FROM pending_spans WHERE received_at < ? ORDER BY app_id").bind(before);
        for row in apps.read_all(&self.writer).await? {
            let app_id: String = row.try_get(0)?;
            self.write(move |connection| remove_pending(connection, &app_id, before)).await?;
        }
        Ok(())
    }

    /// Returns whether the clock has not jumped for a day. A pause of the server of more than two days counts as a jump.
    async fn is_clock_steady(&self, now: i64) -> Result<bool, StoreError> {
        let row = query(
            "INSERT INTO clock (id, seen_at, steady_since) VALUES (1, ?1, ?1)
             ON CONFLICT (id) DO UPDATE SET
                 steady_since = CASE WHEN ?1 BETWEEN clock.seen_at - ?2 AND clock.seen_at + ?3
                                     THEN clock.steady_since ELSE ?1 END,
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

/// Removes the pending spans of an app that were received before a time, and counts them as dropped.
fn remove_pending(connection: &mut Connection, app_id: &str, before: i64) -> Result<(), StoreError> {
    lock_app(connection, app_id)?;
    query(
        "INSERT INTO drops (app_id, start, reason, count)
         SELECT app_id, received_at / 60000000 * 60, 'spans', count(*) FROM pending_spans
         WHERE received_at < ?1 AND app_id = ?2 AND EXISTS (SELECT 1 FROM apps WHERE id = ?2) GROUP BY 1, 2
         ON CONFLICT (app_id, start, reason) DO UPDATE SET count = least(drops.count + excluded.count, ?3)",
    )
    .bind(before)
    .bind(app_id)
    .bind(signed(MAX_COUNT))
    .execute(connection)?;
    let delete = query("DELETE FROM pending_spans WHERE received_at < ? AND app_id = ?");
    delete.bind(before).bind(app_id).execute(connection)?;
    Ok(())
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
    use crate::store::stores;
    use crate::store::testing::TestStore;

    const HOUR: i64 = 3_600 * MICROS;

    /// Removes old rows at a time in hours, and returns the number of rows that are left.
    async fn rows_left_at(store: &Store, hour: i64) -> i64 {
        store.remove_old(hour * HOUR, &BTreeSet::new(), &AppSettings::new()).await.unwrap();
        let left = query("SELECT count(*) FROM stored_bodies").read_one(&store.writer).await.unwrap();
        left.try_get(0).unwrap()
    }

    #[tokio::test]
    async fn a_clock_that_jumps_removes_nothing() {
        for store in stores().await {
            assert_jumps_remove_nothing(&store).await;
        }
    }

    async fn assert_jumps_remove_nothing(store: &Store) {
        let year = 365 * 24;
        let rows = format!("INSERT INTO stored_bodies VALUES ('a', 'old', 0), ('a', 'new', {})", (year + 30) * HOUR);
        query(rows).run(&store.writer).await.unwrap();
        for hour in year..year + 24 {
            assert_eq!(rows_left_at(store, hour).await, 2, "the first day");
        }
        for jump in [2 * year, year + 20, 3 * year, year + 30] {
            assert_eq!(rows_left_at(store, jump).await, 2, "after a jump");
        }
        for hour in year + 31..year + 54 {
            assert_eq!(rows_left_at(store, hour).await, 2, "the day after the jumps");
        }
        assert_eq!(rows_left_at(store, year + 54).await, 1);
        store.close().await;
    }

    #[tokio::test]
    async fn the_audit_log_is_kept_for_400_days() {
        for store in stores().await {
            let entry = |day: i64| format!("({}, 'ana', '', 'day {day}')", day * DAY * MICROS);
            let columns = "happened_at, actor, address, action";
            let rows = format!("INSERT INTO audit_log ({columns}) VALUES {}, {}", entry(9), entry(11));
            query(rows).run(&store.writer).await.unwrap();
            for hour in 409 * 24..=410 * 24 {
                store.remove_old(hour * HOUR, &BTreeSet::new(), &AppSettings::new()).await.unwrap();
            }
            let left = query("SELECT action FROM audit_log").read_all(&store.writer).await.unwrap();
            let left: Vec<String> = left.iter().map(|row| row.try_get(0).unwrap()).collect();
            assert_eq!(left, ["day 11"]);
            store.close().await;
        }
    }

    #[tokio::test]
    async fn pending_spans_that_are_removed_count_as_dropped() {
        for store in stores().await {
            assert_removed_spans_count(&store).await;
        }
    }

    async fn assert_removed_spans_count(store: &TestStore) {
        let app_id = store.create_app("shop").await;
        for (span, received_at) in [(1_u8, 0), (2, HOUR), (3, HOUR), (4, 24 * HOUR)] {
            let insert = "INSERT INTO pending_spans (app_id, trace_id, span_id, received_at, document)
                          VALUES (?, ?, ?, ?, ?)";
            let insert = query(insert).bind(&app_id).bind(vec![7]).bind(vec![span; 8]).bind(received_at);
            insert.bind(Vec::new()).run(&store.writer).await.unwrap();
        }
        for hour in 0..=24 {
            store.remove_old(hour * HOUR, &BTreeSet::new(), &AppSettings::new()).await.unwrap();
        }
        let drops = query("SELECT start, count FROM drops WHERE reason = 'spans' ORDER BY start");
        let drops = drops.read_all(&store.writer).await.unwrap();
        let drops: Vec<(i64, i64)> =
            drops.iter().map(|row| (row.try_get(0).unwrap(), row.try_get(1).unwrap())).collect();
        assert_eq!(drops, [(0, 1), (3_600, 2)]);
        store.close().await;
    }
}

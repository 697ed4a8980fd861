//! Removes the old rows of single apps, each of which decides how long some of its data is kept.

use super::database::Store;
use super::engine::{Connection, Value, query};
use super::error::StoreError;
use super::locks::is_first;
use super::locks::lock_app;
use super::settings::{AppSettings, Setting};
use super::{day_of, span_stacks, spans};
use crate::changes::RESOLUTIONS;

const DAY: i64 = 86_400;
const MICROS: i64 = 1_000_000;

/// The number of rows that one transaction removes at most, so that data is stored in between.
pub(super) const CHUNK: u64 = 1_000;

/// The days for which samples are kept, unless the app has a setting.
const SAMPLE_DAYS: i64 = 14;

/// The days for which occurrences of errors are kept, unless the app has a setting.
const ERROR_DAYS: i64 = 90;

/// The days after its last error after which a group is removed. People compare the errors of a year.
const GROUP_DAYS: i64 = 400;

/// The number of groups, or of queries and calls, that one transaction removes with all their rows.
const GROUPS: u64 = 10;

/// The condition of occurrences that are neither the first nor the latest of their group, nor the latest of a release.
/// Those are kept at any age.
pub(super) const IS_REPETITION: &str = "EXISTS (
         SELECT 1 FROM error_occurrences AS earlier WHERE earlier.group_id = error_occurrences.group_id
           AND (earlier.happened_at, earlier.id) < (error_occurrences.happened_at, error_occurrences.id))
     AND CASE WHEN error_occurrences.release = 0 THEN EXISTS (
         SELECT 1 FROM error_occurrences AS later WHERE later.group_id = error_occurrences.group_id
           AND (later.happened_at, later.id) > (error_occurrences.happened_at, error_occurrences.id))
     ELSE EXISTS (
         SELECT 1 FROM error_occurrences AS later WHERE later.group_id = error_occurrences.group_id
           AND later.release = error_occurrences.release
           AND (later.happened_at, later.id) > (error_occurrences.happened_at, error_occurrences.id)) END";

/// Returns the seconds for which samples of an app are kept.
pub(super) fn sample_seconds(settings: &AppSettings) -> i64 {
    days(settings, Setting::SampleDays).unwrap_or(SAMPLE_DAYS).saturating_mul(DAY)
}

fn days(settings: &AppSettings, setting: Setting) -> Option<i64> {
    settings.get(&setting).copied()
}

impl Store {
    /// Removes the old rows of an app. `now` is in microseconds since 1970. Unless `is_compact`, rows by time are kept.
    pub(super) async fn remove_old_of(
        &self,
        app_id: &str,
        settings: &AppSettings,
        now: i64,
        is_compact: bool,
    ) -> Result<(), StoreError> {
        let second = now.div_euclid(MICROS);
        let before = now.saturating_sub(sample_seconds(settings).saturating_mul(MICROS));
        let samples = format!(
            "DELETE FROM samples WHERE id IN (
                 SELECT samples.id FROM transactions JOIN samples ON samples.transaction_id = transactions.id
                 WHERE transactions.app_id = ? AND samples.happened_at < ? LIMIT {CHUNK})"
        );
        self.remove_chunks(app_id, samples, vec![before.into()]).await?;

        let error_days = days(settings, Setting::ErrorDays).unwrap_or(ERROR_DAYS);
        let before = |days: i64| now.saturating_sub(days.saturating_mul(DAY * MICROS));
        let occurrences = format!(
            "DELETE FROM error_occurrences WHERE id IN (
                 SELECT error_occurrences.id
                 FROM error_groups JOIN error_occurrences ON error_occurrences.group_id = error_groups.id
                 WHERE error_groups.app_id = ? AND error_occurrences.happened_at < ? AND {IS_REPETITION}
                 LIMIT {CHUNK})"
        );
        self.remove_chunks(app_id, occurrences, vec![before(error_days).into()]).await?;
        self.forget_users(app_id, before(error_days)).await?;
        self.remove_groups(app_id, before(GROUP_DAYS.max(error_days))).await?;

        let stacks = format!(
            "DELETE FROM span_stacks WHERE (app_id, site) IN (
                 SELECT app_id, site FROM span_stacks WHERE app_id = ? AND used_on < ? LIMIT {CHUNK})"
        );
        let unused = sample_seconds(settings).saturating_div(DAY).saturating_add(span_stacks::KEPT_DAYS);
        self.remove_chunks(app_id, stacks, vec![day_of(now).saturating_sub(unused).into()]).await?;

        self.remove_spans(app_id, day_of(now).saturating_sub(spans::KEPT_DAYS)).await?;

        let rollup_days = days(settings, Setting::RollupDays);
        for row in RESOLUTIONS.into_iter().filter(|_| is_compact) {
            let Some(kept) = row.kept.or(rollup_days.map(|days| days.saturating_mul(DAY))) else { continue };
            let values = vec![row.seconds.into(), second.saturating_sub(kept).into()];
            for statement in removals_of_rows() {
                self.remove_chunks(app_id, statement, values.clone()).await?;
            }
        }
        Ok(())
    }

    /// Removes rows of an app until none is left. The statement removes a chunk; its first value is the app.
    async fn remove_chunks(
        &self,
        app_id: &str,
        statement: String,
        values: Vec<Value<'static>>,
    ) -> Result<(), StoreError> {
        loop {
            let (app_id, statement, values) = (app_id.to_owned(), statement.clone(), values.clone());
            let remove = move |connection: &mut Connection| {
                if !is_first(connection)? {
                    return Ok(0);
                }
                lock_app(connection, &app_id)?;
                let statement = query(statement).bind(app_id);
                Ok(values.into_iter().fold(statement, |statement, value| statement.bind(value)).execute(connection)?)
            };
            if self.write(remove).await? < CHUNK {
                return Ok(());
            }
        }
    }

    /// Removes the names of users without an error since a time, in microseconds since 1970. They stay counted.
    async fn forget_users(&self, app_id: &str, before: i64) -> Result<(), StoreError> {
        // Groups that are younger have none.
        let names = format!(
            "UPDATE error_values SET value = '' WHERE (group_id, list, key) IN (
                 SELECT error_values.group_id, error_values.list, error_values.key
                 FROM error_groups JOIN error_values ON error_values.group_id = error_groups.id
                 WHERE error_groups.app_id = ?1 AND error_groups.first_seen < ?2 AND error_values.last_seen < ?2
                   AND error_values.list = 'user' AND error_values.value <> '' LIMIT {CHUNK})"
        );
        self.remove_chunks(app_id, names, vec![before.into()]).await
    }

    /// Removes the error groups of an app without an error since a time, in microseconds since 1970.
    async fn remove_groups(&self, app_id: &str, before: i64) -> Result<(), StoreError> {
        let groups = format!(
            "(SELECT id FROM error_groups WHERE app_id = ? AND last_seen < ? ORDER BY last_seen, id LIMIT {GROUPS})"
        );
        let rows = [
            "error_occurrences WHERE group_id",
            "error_rollups WHERE group_id",
            "error_values WHERE group_id",
            "error_groups WHERE id",
        ];
        self.remove_with(app_id, rows.map(|rows| format!("DELETE FROM {rows} IN {groups}")), before).await
    }

    /// Removes the queries and calls of an app that were not seen since a day, with all their sums.
    async fn remove_spans(&self, app_id: &str, before: i64) -> Result<(), StoreError> {
        let spans = format!("(SELECT id FROM spans WHERE app_id = ? AND seen_on < ? ORDER BY id LIMIT {GROUPS})");
        let rows = ["span_callers WHERE span_id", "span_sums WHERE span_id", "spans WHERE id"];
        self.remove_with(app_id, rows.map(|rows| format!("DELETE FROM {rows} IN {spans}")), before).await
    }

    /// Runs statements, the last of which removes some rows and the others all that refer to them, until none is left. Their
    /// values are the app and a time.
    async fn remove_with<const N: usize>(
        &self,
        app_id: &str,
        statements: [String; N],
        before: i64,
    ) -> Result<(), StoreError> {
        loop {
            let (app_id, statements) = (app_id.to_owned(), statements.clone());
            let remove = move |connection: &mut Connection| {
                let mut removed = 0;
                if is_first(connection)? {
                    lock_app(connection, &app_id)?;
                    for statement in statements {
                        removed = query(statement).bind(&app_id).bind(before).execute(connection)?;
                    }
                }
                Ok(removed)
            };
            if self.write(remove).await? < GROUPS {
                return Ok(());
            }
        }
    }
}

/// Returns the statements that remove a chunk of an app's rows of a resolution from before a time.
fn removals_of_rows() -> [String; 4] {
    let of_transactions = |table: &str, last: &str| {
        format!(
            "DELETE FROM {table} WHERE (transaction_id, resolution, start, {last}) IN (
                 SELECT {table}.transaction_id, {table}.resolution, {table}.start, {table}.{last}
                 FROM transactions JOIN {table} ON {table}.transaction_id = transactions.id
                 WHERE transactions.app_id = ? AND {table}.resolution = ? AND {table}.start < ? LIMIT {CHUNK})"
        )
    };
    let errors = format!(
        "DELETE FROM error_rollups WHERE (group_id, resolution, start) IN (
             SELECT error_rollups.group_id, error_rollups.resolution, error_rollups.start
             FROM error_groups JOIN error_rollups ON error_rollups.group_id = error_groups.id
             WHERE error_groups.app_id = ? AND error_rollups.resolution = ? AND error_rollups.start < ? LIMIT {CHUNK})"
    );
    let spans = format!(
        "DELETE FROM span_sums WHERE (span_id, resolution, start) IN (
             SELECT span_sums.span_id, span_sums.resolution, span_sums.start
             FROM spans JOIN span_sums ON span_sums.span_id = spans.id
             WHERE spans.app_id = ? AND span_sums.resolution = ? AND span_sums.start < ? LIMIT {CHUNK})"
    );
    [of_transactions("rollups", "result"), of_transactions("breakdowns", "kind"), errors, spans]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{BodyChanges, Changes, NewError, NewRelease, NewSample, TransactionKey};
    use crate::queue::Mark;
    use crate::store::read::{ErrorFilter, ErrorOrder};
    use crate::store::{StoredRecord, stores};

    async fn apply(store: &Store, app_id: &str, changes: Changes) {
        let bodies = vec![BodyChanges::new(app_id.to_owned(), String::new(), 0, changes)];
        store.apply(vec![StoredRecord { id: None, bodies }], Vec::new(), Mark::Records, 0).await.unwrap();
    }

    fn error(app_id: &str, day: i64) -> NewError {
        NewError {
            app_id: app_id.to_owned(),
            fingerprint: vec![2],
            happened_at: day * DAY * MICROS,
            occurrences: 1,
            document: b"{}".to_vec(),
            ..NewError::default()
        }
    }

    /// Returns a sample with a document that cannot be compressed much.
    fn sample(app_id: &str, day: i64) -> NewSample {
        let mut random = fastrand::Rng::with_seed(7);
        let [kind, name] = [String::new(), "GET /".to_owned()];
        NewSample {
            transaction: TransactionKey { app_id: app_id.to_owned(), kind, name },
            happened_at: day * DAY * MICROS,
            document: std::iter::repeat_with(|| random.alphanumeric() as u8).take(2_000).collect(),
            ..NewSample::default()
        }
    }

    /// Returns the days of the rows that are left.
    async fn days_of(store: &Store, table: &str) -> Vec<i64> {
        let rows =
            query(format!("SELECT happened_at FROM {table} ORDER BY happened_at")).read_all(&store.readers).await;
        rows.unwrap().iter().map(|row| row.try_get::<i64, _>(0).unwrap() / (DAY * MICROS)).collect()
    }

    #[tokio::test]
    async fn the_first_the_latest_and_one_occurrence_of_each_release_are_kept() {
        for store in stores().await {
            let app_id = store.create_app("shop").await;
            for (rev, day) in [("a", 5), ("b", 10)] {
                let completed_at = day * DAY * MICROS;
                let [branch, machine] = [String::new(), String::new()];
                let (rev, is_complete) = (rev.to_owned(), true);
                let release = NewRelease { app_id: app_id.clone(), rev, branch, machine, is_complete, completed_at };
                apply(&store, &app_id, Changes { releases: vec![release], ..Changes::default() }).await;
            }
            let errors = [1, 2, 6, 7, 11, 12, 13, 100].map(|day| error(&app_id, day)).to_vec();
            apply(&store, &app_id, Changes { errors, ..Changes::default() }).await;
            let samples = [120, 140].map(|day| sample(&app_id, day)).to_vec();
            apply(&store, &app_id, Changes { samples, ..Changes::default() }).await;
            let remove = async |day: i64, settings: &[(Setting, i64)]| {
                let settings = settings.iter().copied().collect();
                store.remove_old_of(&app_id, &settings, day * DAY * MICROS, true).await.unwrap();
            };
            remove(150, &[(Setting::ErrorDays, 149), (Setting::SampleDays, 30)]).await;
            assert_eq!(days_of(&store, "error_occurrences").await.len(), 8);
            assert_eq!(days_of(&store, "samples").await, [120, 140]);
            remove(150, &[]).await;
            assert_eq!(days_of(&store, "error_occurrences").await, [1, 7, 100]);
            assert_eq!(days_of(&store, "samples").await, [140]);
            remove(499, &[]).await;
            assert_eq!(
                store.error_groups(&app_id, ErrorFilter::default(), ErrorOrder::LastSeen, 9, 0).await.unwrap().1,
                1
            );
            remove(501, &[]).await;
            assert_eq!(
                store.error_groups(&app_id, ErrorFilter::default(), ErrorOrder::LastSeen, 9, 0).await.unwrap().1,
                0
            );
            assert!(days_of(&store, "error_occurrences").await.is_empty());
            store.close().await;
        }
    }

    #[tokio::test]
    async fn documents_beyond_the_budget_are_removed_and_counted() {
        for store in stores().await {
            let app_id = store.create_app("shop").await;
            let errors = (1..=5).map(|day| error(&app_id, day)).collect();
            let samples = (1..=6).map(|day| sample(&app_id, day)).collect();
            apply(&store, &app_id, Changes { samples, errors, ..Changes::default() }).await;
            let now = 10 * DAY;
            store.keep_budget(&app_id, 1 << 20, now * MICROS).await.unwrap();
            assert_eq!(days_of(&store, "samples").await.len(), 6, "they fit");
            // Each sample has more than one, and less than two kilobytes.
            store.keep_budget(&app_id, 6_100, now * MICROS).await.unwrap();
            let left = days_of(&store, "samples").await;
            assert!((3..6).contains(&left.len()) && left.ends_with(&[5, 6]), "the oldest are removed: {left:?}");
            assert_eq!(days_of(&store, "error_occurrences").await.len(), 5);
            store.keep_budget(&app_id, 1, now * MICROS).await.unwrap();
            assert!(days_of(&store, "samples").await.is_empty());
            assert_eq!(days_of(&store, "error_occurrences").await, [1, 5], "the first and the latest are kept");
            let drops = store.drops(&app_id, (now, now + 60)).await.unwrap();
            assert_eq!(drops, [("disk_budget".to_owned(), 9)].into());
            store.close().await;
        }
    }
}

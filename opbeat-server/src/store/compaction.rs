//! Adds rows of a minute up to rows of ten minutes, those to rows of an hour, and those to rows of a day.
//!
//! ```text
//! data ─► minutes ─► 10 minutes ─► hours ─► days
//!  │                    ▲            ▲       ▲
//!  └────────────────────┴────────────┴───────┘ data that arrives later
//! ```
//!
//! Each app has a watermark for each of the longer times. All data before it is in rows of that time, and no data after
//! it. Data that arrives for a time before the watermark is added to its row at once, so that all rows are always exact.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::apply::lock_app;
use super::database::Store;
use super::engine::{Connection, Engine, Row, Value, query};
use super::error::{Cause, StoreError};
use super::rollups;
use crate::changes::{MAX_COUNT, RESOLUTIONS, Rollup};

/// The seconds after which rows of a minute are added up. Most data arrives earlier, and is written once.
const DELAY: i64 = 300;

/// The lock of PostgreSQL that a process holds while it adds up: any number that no other program uses.
const LOCK: i64 = 0x6f70_6265_6176;

const MICROS: i64 = 1_000_000;

/// The rows of one resolution that are complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    /// The time before which rows of the next longer resolution are read instead, in seconds since 1970.
    since: i64,
    /// The time up to which rows are complete, in seconds since 1970. There are none after it.
    until: i64,
}

/// The watermarks of an app, one for each of [`RESOLUTIONS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Marks([Mark; RESOLUTIONS.len()]);

/// The watermarks of several apps.
#[derive(Debug, Default)]
pub(super) struct AppMarks(HashMap<String, Marks>);

/// The rows of one resolution in a range of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The length of time that a row stands for, in seconds.
    pub(super) resolution: i64,
    /// The start of the first row, in seconds since 1970.
    pub(super) from: i64,
    /// The end, in seconds since 1970; rows that start there do not belong to it.
    pub(super) to: i64,
}

/// The rows of a minute are always complete.
const MINUTES_ONLY: Marks = {
    let mut marks = [Mark { since: 0, until: 0 }; RESOLUTIONS.len()];
    marks[0].until = i64::MAX;
    Marks(marks)
};

impl Marks {
    /// Returns the resolutions of the rows that data of a minute is added to.
    pub(super) fn resolutions(&self, minute: i64) -> impl Iterator<Item = i64> + use<> {
        let is_complete = move |mark: &Mark| minute < mark.until;
        self.0.into_iter().zip(RESOLUTIONS).filter(move |(mark, _)| is_complete(mark)).map(|(_, row)| row.seconds)
    }

    /// Returns the rows that stand for a range of time: those of a resolution as far as they are complete, and shorter
    /// ones after them.
    pub(super) fn parts(&self, resolution: i64, (from, to): (i64, i64)) -> Vec<Part> {
        let level = RESOLUTIONS.iter().position(|row| row.seconds >= resolution).unwrap_or(RESOLUTIONS.len() - 1);
        let mut parts = Vec::new();
        let mut from = from;
        let since = self.0[level].since.min(to);
        if from < since && level + 1 < RESOLUTIONS.len() {
            parts = self.parts(RESOLUTIONS[level + 1].seconds, (from, since));
            from = since;
        }
        for level in (0..=level).rev() {
            let end = self.0[level].until.min(to);
            if from < end {
                parts.push(Part { resolution: RESOLUTIONS[level].seconds, from, to: end });
                from = end;
            }
        }
        parts
    }

    /// Reads the watermarks of an app from rows with the columns `resolution`, `since` and `until`.
    fn read(rows: &[Row<'_>]) -> Result<Self, StoreError> {
        let mut marks = MINUTES_ONLY;
        for row in rows {
            let resolution: i64 = row.try_get("resolution")?;
            if let Some(level) = RESOLUTIONS.iter().skip(1).position(|row| row.seconds == resolution) {
                marks.0[level + 1] = Mark { since: row.try_get("since")?, until: row.try_get("until")? };
            }
        }
        Ok(marks)
    }
}

const READ: &str = "SELECT resolution, since, until FROM compactions WHERE app_id = ?";

impl AppMarks {
    /// Reads the watermarks of apps. They change only while the caller does not hold the locks of the apps.
    pub(super) fn load<'a>(
        connection: &mut Connection,
        apps: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, StoreError> {
        let apps: BTreeSet<&str> = apps.into_iter().collect();
        let lists: Vec<_> = apps.iter().map(|app_id| vec![Value::from(*app_id)]).collect();
        let rows = connection.rows_many(READ, &lists)?;
        let marks = |(app_id, rows): (&str, Vec<Row<'_>>)| Ok((app_id.to_owned(), Marks::read(&rows)?));
        apps.into_iter().zip(rows).map(marks).collect::<Result<_, _>>().map(Self)
    }

    /// Returns the watermarks of an app.
    pub(super) fn of(&self, app_id: &str) -> &Marks {
        self.0.get(app_id).unwrap_or(&MINUTES_ONLY)
    }
}

/// The result of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The rows of one time were added up.
    AddedUp,
    /// No time is left that is over.
    Done,
    /// Another process adds up.
    Busy,
}

impl Store {
    /// Returns the watermarks of an app.
    pub(super) async fn marks(&self, app_id: &str) -> Result<Marks, StoreError> {
        Marks::read(&query(READ).bind(app_id).read_all(&self.readers).await?)
    }

    /// Adds up the rows of all times that are over, each in a transaction of its own, so that data is stored in between.
    /// `now` is in microseconds since 1970.
    ///
    /// Returns whether all of them are added up: another process may be at it, or the rows of an app may be damaged.
    pub(crate) async fn compact(&self, now: i64) -> Result<bool, StoreError> {
        let now = now.div_euclid(MICROS);
        let mut is_all = true;
        for row in query("SELECT id FROM apps ORDER BY id").read_all(&self.readers).await? {
            let app_id: String = row.try_get(0)?;
            match self.compact_app(&app_id, now).await {
                Ok(is_done) => is_all &= is_done,
                Err(error) if error.cause() == Cause::Outage => return Err(error),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, app_id, "the figures of an app cannot be added up; old ones are kept");
                    is_all = false;
                }
            }
        }
        Ok(is_all)
    }

    async fn compact_app(&self, app_id: &str, now: i64) -> Result<bool, StoreError> {
        let mut marks = self.marks(app_id).await?;
        for level in 1..RESOLUTIONS.len() {
            while marks.0[level].until < limit(&marks, level, now) {
                let app = app_id.to_owned();
                let step = move |connection: &mut Connection| compact_next(connection, &app, level, now);
                match self.write(step).await? {
                    (Step::Busy, _) => return Ok(false),
                    (Step::Done | Step::AddedUp, next) => marks = next,
                }
            }
        }
        Ok(true)
    }
}

/// Returns the time up to which rows of a level can be complete.
fn limit(marks: &Marks, level: usize, now: i64) -> i64 {
    let limit = if level == 1 { now.saturating_sub(DELAY) } else { marks.0[level - 1].until };
    limit - limit.rem_euclid(RESOLUTIONS[level].seconds)
}

/// Adds up the rows of the next time of an app, or moves the watermark over a time without rows. Returns the new
/// watermarks.
fn compact_next(
    connection: &mut Connection,
    app_id: &str,
    level: usize,
    now: i64,
) -> Result<(Step, Marks), StoreError> {
    if !is_alone(connection)? {
        return Ok((Step::Busy, MINUTES_ONLY));
    }
    // The workers of the app hold its lock from before they read the watermarks until they have stored their data.
    lock_app(connection, app_id)?;
    let mut marks = *AppMarks::load(connection, [app_id])?.of(app_id);
    let (limit, until) = (limit(&marks, level, now), marks.0[level].until);
    if limit <= until {
        return Ok((Step::Done, marks));
    }
    let [finer, length] = [RESOLUTIONS[level - 1].seconds, RESOLUTIONS[level].seconds];
    let first = first_row(connection, app_id, finer, until)?;
    let start = first.map(|first| first - first.rem_euclid(length)).filter(|start| *start < limit);
    let (step, until) = match start {
        Some(start) => {
            let part = Part { resolution: finer, from: start, to: start + length };
            add_up(connection, app_id, part, length)?;
            (Step::AddedUp, part.to)
        }
        None => (Step::Done, limit),
    };
    query(
        "INSERT INTO compactions (app_id, resolution, since, until) VALUES (?, ?, 0, ?)
         ON CONFLICT (app_id, resolution) DO UPDATE SET until = excluded.until",
    )
    .bind(app_id)
    .bind(length)
    .bind(until)
    .execute(connection)?;
    marks.0[level].until = until;
    Ok((step, marks))
}

/// Returns whether no other process adds up at the moment. Others do not until the end of the transaction.
fn is_alone(connection: &mut Connection) -> Result<bool, StoreError> {
    if connection.engine() == Engine::Sqlite {
        return Ok(true);
    }
    let row = query("SELECT pg_try_advisory_xact_lock(?) AS is_alone").bind(LOCK).fetch_one(connection)?;
    Ok(row.try_get("is_alone")?)
}

/// Returns the start of an app's first row from a time on, in seconds since 1970.
fn first_row(connection: &mut Connection, app_id: &str, resolution: i64, from: i64) -> Result<Option<i64>, StoreError> {
    // Rows are found by their transaction or group, of which few ran since then.
    let row = query(
        "SELECT min(start) FROM (
             SELECT min((SELECT min(start) FROM rollups
                         WHERE transaction_id = transactions.id AND resolution = ?2 AND start >= ?3)) AS start
             FROM transactions WHERE app_id = ?1 AND last_seen >= ?4
             UNION ALL
             SELECT min((SELECT min(start) FROM breakdowns
                         WHERE transaction_id = transactions.id AND resolution = ?2 AND start >= ?3))
             FROM transactions WHERE app_id = ?1 AND last_seen >= ?4
             UNION ALL
             SELECT min((SELECT min(start) FROM error_rollups
                         WHERE group_id = error_groups.id AND resolution = ?2 AND start >= ?3))
             FROM error_groups WHERE app_id = ?1 AND last_seen >= ?4
         ) AS rows",
    )
    .bind(app_id)
    .bind(resolution)
    .bind(from)
    .bind(from.saturating_mul(MICROS))
    .fetch_one(connection)?;
    Ok(row.try_get(0)?)
}

/// Adds the rows of an app in a range of time up to rows of its length.
fn add_up(connection: &mut Connection, app_id: &str, part: Part, length: i64) -> Result<(), StoreError> {
    add_up_durations(connection, app_id, part, length)?;
    let sums = [
        "INSERT INTO breakdowns (transaction_id, resolution, start, kind, count, self_ms, samples)
         SELECT transactions.id, CAST(?6 AS BIGINT), CAST(?4 AS BIGINT), breakdowns.kind,
                CAST(least(sum(CAST(breakdowns.count AS DOUBLE PRECISION)), ?7) AS BIGINT),
                least(sum(breakdowns.self_ms), ?7),
                CAST(least(sum(CAST(breakdowns.samples AS DOUBLE PRECISION)), ?7) AS BIGINT)
         FROM transactions JOIN breakdowns ON breakdowns.transaction_id = transactions.id
         WHERE transactions.app_id = ?1 AND transactions.last_seen >= ?2 AND breakdowns.resolution = ?3
           AND breakdowns.start >= ?4 AND breakdowns.start < ?5
         GROUP BY transactions.id, breakdowns.kind
         ON CONFLICT (transaction_id, resolution, start, kind) DO UPDATE SET
             count = excluded.count, self_ms = excluded.self_ms, samples = excluded.samples",
        "INSERT INTO error_rollups (group_id, resolution, start, count)
         SELECT error_groups.id, CAST(?6 AS BIGINT), CAST(?4 AS BIGINT),
                CAST(least(sum(CAST(error_rollups.count AS DOUBLE PRECISION)), ?7) AS BIGINT)
         FROM error_groups JOIN error_rollups ON error_rollups.group_id = error_groups.id
         WHERE error_groups.app_id = ?1 AND error_groups.last_seen >= ?2 AND error_rollups.resolution = ?3
           AND error_rollups.start >= ?4 AND error_rollups.start < ?5
         GROUP BY error_groups.id
         ON CONFLICT (group_id, resolution, start) DO UPDATE SET count = excluded.count",
    ];
    for sum in sums {
        query(sum)
            .bind(app_id)
            .bind(part.from.saturating_mul(MICROS))
            .bind(part.resolution)
            .bind(part.from)
            .bind(part.to)
            .bind(length)
            .bind(MAX_COUNT as f64)
            .execute(&mut *connection)?;
    }
    Ok(())
}

fn add_up_durations(connection: &mut Connection, app_id: &str, part: Part, length: i64) -> Result<(), StoreError> {
    let mut sums: BTreeMap<(i64, String), Rollup> = BTreeMap::new();
    let mut damage = None;
    query(
        "SELECT rollups.transaction_id, rollups.result, rollups.count, rollups.failed, rollups.sum_ms, rollups.min_ms,
                rollups.max_ms, rollups.sketch, rollups.head_sketch
         FROM transactions JOIN rollups ON rollups.transaction_id = transactions.id
         WHERE transactions.app_id = ? AND transactions.last_seen >= ? AND rollups.resolution = ?
           AND rollups.start >= ? AND rollups.start < ?",
    )
    .bind(app_id)
    .bind(part.from.saturating_mul(MICROS))
    .bind(part.resolution)
    .bind(part.from)
    .bind(part.to)
    .fetch_each(connection, |row| {
        match rollups::read(row) {
            Ok(rollup) => {
                let key = (row.try_get("transaction_id")?, row.try_get("result")?);
                sums.entry(key).or_default().merge(&rollup);
            }
            Err(error) => damage = Some(error),
        }
        Ok(damage.is_none())
    })?;
    if let Some(error) = damage {
        return Err(error);
    }
    let rows: Vec<_> = sums
        .iter()
        .map(|((transaction, result), rollup)| ((*transaction, length, part.from, result.as_str()), rollup))
        .collect();
    rollups::store_rows(connection, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::changes::{BodyChanges, Changes, NewError, SelfTime, TransactionKey};
    use crate::queue::Mark as QueueMark;
    use crate::store::StoredRecord;
    use crate::store::read::RollupSpan;
    use crate::store::testing::TestDatabase;

    const HOUR: i64 = 3_600;
    const DAY: i64 = 86_400;

    /// 2026-11-01 00:00:00 UTC.
    const START: i64 = 1_793_491_200;

    /// Stores a duration of one of two transactions, a self time and an error at a time in seconds since 1970.
    async fn store_at(store: &Store, app_id: &str, second: i64, milliseconds: f64) {
        let minute = second - second.rem_euclid(60);
        let name = if second % 120 < 60 { "GET /" } else { "GET /books" };
        let key = TransactionKey { app_id: app_id.to_owned(), kind: String::new(), name: name.to_owned() };
        let mut rollup = Rollup::default();
        rollup.insert(milliseconds, (second % 3 == 0).then_some(1.0), second % 5 == 0);
        let mut changes = Changes::default();
        changes.rollups.insert((key.clone(), minute, "200".to_owned()), rollup);
        let self_time = SelfTime { count: 2, self_ms: milliseconds, samples: 1 };
        changes.breakdowns.insert((key, minute, "app".to_owned()), self_time);
        let error = NewError {
            app_id: app_id.to_owned(),
            fingerprint: vec![2, 1],
            happened_at: second * MICROS,
            occurrences: 3,
            document: b"{}".to_vec(),
            ..NewError::default()
        };
        changes.errors.push(error);
        let body = BodyChanges::new(app_id.to_owned(), String::new(), second * MICROS, changes);
        let record = StoredRecord { id: None, bodies: vec![body] };
        store.apply(vec![record], Vec::new(), QueueMark::Records, second * MICROS).await.unwrap();
    }

    /// The sums of an app in a range: durations, the sum of transactions, self times and errors.
    #[derive(Debug, PartialEq)]
    struct Sums {
        count: u64,
        failed: u64,
        sum_ms: f64,
        max_ms: f64,
        median: Option<f64>,
        heads: Option<f64>,
        by_transaction: f64,
        breakdown: Vec<(String, SelfTime)>,
        errors: i64,
    }

    async fn sums(store: &Store, app_id: &str, resolution: i64, (from, to): (i64, i64)) -> Sums {
        let span = RollupSpan { app_id, transactions: None, resolution, from, to };
        let mut all = Rollup::default();
        store.each_rollup(span, |row| all.merge(&row.rollup)).await.unwrap();
        let by_transaction = store.transaction_sums(span).await.unwrap();
        let (groups, _) = store.error_groups(app_id, crate::store::read::ErrorOrder::LastSeen, 10, 0).await.unwrap();
        let groups: Vec<i64> = groups.iter().map(|group| group.id).collect();
        let errors = store.error_counts(app_id, &groups, resolution, (from, to)).await.unwrap();
        Sums {
            count: all.count,
            failed: all.failed,
            sum_ms: all.sum_ms,
            max_ms: all.max_ms,
            median: all.sketch.quantile(0.5),
            heads: all.head_sketch().quantile(0.5),
            by_transaction: by_transaction.iter().map(|sum| sum.sum_ms).sum(),
            breakdown: store.breakdown(span).await.unwrap(),
            errors: errors.iter().map(|row| row.count).sum(),
        }
    }

    /// Checks that all resolutions give the sums of the minutes, of the whole time and of each day.
    async fn check(store: &Store, app_id: &str, expected: u64) {
        for range in [(START, START + 4 * DAY), (START, START + DAY), (START + DAY, START + 2 * DAY)] {
            let minutes = sums(store, app_id, 60, range).await;
            assert!(range.1 - range.0 == DAY || minutes.count == expected, "{minutes:?}");
            for row in RESOLUTIONS {
                assert_eq!(sums(store, app_id, row.seconds, range).await, minutes, "{} {range:?}", row.seconds);
            }
        }
    }

    async fn rows_of(store: &Store, resolution: i64) -> i64 {
        let rows = query("SELECT count(*) FROM rollups WHERE resolution = ?").bind(resolution);
        rows.read_one(&store.readers).await.unwrap().try_get(0).unwrap()
    }

    #[tokio::test]
    async fn rows_of_each_length_are_exact_at_any_time() {
        for database in TestDatabase::all().await {
            let (store, app_id) = database.open().await;
            let mut expected = 0;
            // Every 47 minutes for 26 hours, and again after a day without data.
            for second in (0..26 * HOUR).chain(50 * HOUR..52 * HOUR).step_by(47 * 60) {
                store_at(&store, &app_id, START + second, (second % 1_000) as f64 + 1.0).await;
                expected += 1;
            }
            check(&store, &app_id, expected).await;
            assert_eq!(rows_of(&store, 600).await, 0, "data is stored by minute");
            for hour in [1, 3, 24, 25, 27, 49, 52, 76] {
                assert!(store.compact((START + hour * HOUR + 400) * MICROS).await.unwrap());
                check(&store, &app_id, expected).await;
                // Data that is late by up to the whole time.
                for late in [0, 59 * 60, 24 * HOUR, 51 * HOUR + 30] {
                    store_at(&store, &app_id, START + late, 7.0).await;
                    expected += 1;
                }
                check(&store, &app_id, expected).await;
            }
            assert!(store.compact((START + 96 * HOUR + 400) * MICROS).await.unwrap());
            check(&store, &app_id, expected).await;
            let minutes = query("DELETE FROM rollups WHERE resolution < 86400").run(&store.writer).await.unwrap();
            assert!(minutes > 100 && rows_of(&store, DAY).await == 6, "two names on three days");
            let days = sums(&store, &app_id, DAY, (START, START + 4 * DAY)).await;
            assert_eq!(days.count, expected, "days alone have all data");
            database.remove(store).await;
        }
    }

    #[tokio::test]
    async fn two_processes_that_store_and_add_up_lose_nothing() {
        for database in TestDatabase::all().await {
            let (store, app_id) = database.open().await;
            let other = Store::open(database.address.clone(), Store::TIME_LIMIT).await.unwrap();
            let write = async |store: &Store, offset: i64| {
                for second in (offset..10 * HOUR).step_by(20 * 60) {
                    store_at(store, &app_id, START + second, 5.0).await;
                }
            };
            let add_up = async |store: &Store| {
                for hour in 0..12 {
                    store.compact((START + hour * HOUR) * MICROS).await.unwrap();
                }
            };
            tokio::join!(write(&store, 0), write(&other, 0), add_up(&store), add_up(&other));
            check(&store, &app_id, 60).await;
            assert!(store.compact((START + 30 * HOUR) * MICROS).await.unwrap());
            check(&store, &app_id, 60).await;
            other.close().await;
            database.remove(store).await;
        }
    }

    #[test]
    fn a_range_has_each_time_once() {
        let mut marks = MINUTES_ONLY;
        let all = [(60, 0, 1_000)].map(|(resolution, from, to)| Part { resolution, from, to });
        assert_eq!(marks.parts(DAY, (0, 1_000)), all, "nothing is added up yet");
        marks.0[1] = Mark { since: 3_600, until: 12_000 };
        marks.0[2] = Mark { since: 0, until: 7_200 };
        let parts = |resolution, range| {
            let parts = marks.parts(resolution, range);
            parts.into_iter().map(|part| (part.resolution, part.from, part.to)).collect::<Vec<_>>()
        };
        assert_eq!(parts(HOUR, (0, 20_000)), [(3_600, 0, 7_200), (600, 7_200, 12_000), (60, 12_000, 20_000)]);
        assert_eq!(parts(600, (0, 20_000)), [(3_600, 0, 3_600), (600, 3_600, 12_000), (60, 12_000, 20_000)]);
        assert_eq!(parts(600, (1_200, 2_400)), [(3_600, 1_200, 2_400)]);
        assert_eq!(parts(60, (0, 600)), [(60, 0, 600)]);
        assert_eq!(parts(DAY, (7_200, 9_000)), [(600, 7_200, 9_000)]);
        assert_eq!(parts(DAY, (600, 600)), []);
        assert_eq!(marks.resolutions(0).collect::<Vec<_>>(), [60, 600, 3_600]);
        assert_eq!(marks.resolutions(11_940).collect::<Vec<_>>(), [60, 600]);
        assert_eq!(marks.resolutions(12_000).collect::<Vec<_>>(), [60]);
    }
}

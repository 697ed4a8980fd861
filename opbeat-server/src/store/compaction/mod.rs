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

mod durations;

use std::collections::{BTreeMap, BTreeSet};

use super::database::Store;
use super::engine::{Connection, query};
use super::error::{Cause, StoreError};
use super::locks::{Lock, lock_app, try_lock};
use super::marks::{AppMarks, MINUTES_ONLY, Marks, Part, READ};
use super::notes::{self, NewNotes};
use crate::changes::{MAX_COUNT, RESOLUTIONS};

/// The seconds after which rows of a minute are added up. Most data arrives earlier, and is written once.
const DELAY: i64 = 300;

const MICROS: i64 = 1_000_000;

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
    /// Returns the ids of the apps whose rows are all added up. Another process may be at the rows of other apps, or the
    /// database may reject them.
    pub(crate) async fn compact(&self, now: i64) -> Result<BTreeSet<String>, StoreError> {
        let now = now.div_euclid(MICROS);
        let mut done = BTreeSet::new();
        for row in query("SELECT id FROM apps ORDER BY id").read_all(&self.readers).await? {
            let app_id: String = row.try_get(0)?;
            match self.compact_app(&app_id, now).await {
                Ok(true) => drop(done.insert(app_id)),
                Ok(false) => {}
                Err(error) if error.cause() == Cause::Outage => return Err(error),
                Err(error) => {
                    let error: &dyn std::error::Error = &error;
                    tracing::error!(error, app_id, "the figures of an app cannot be added up; its old ones are kept");
                }
            }
        }
        Ok(done)
    }

    async fn compact_app(&self, app_id: &str, now: i64) -> Result<bool, StoreError> {
        let mut marks = self.marks(app_id).await?;
        for level in 1..RESOLUTIONS.len() {
            while marks.rows[level].until < limit(&marks, level, now) {
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
    let limit = if level == 1 { now.saturating_sub(DELAY) } else { marks.rows[level - 1].until };
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
    // Another process adds up at the moment.
    if !try_lock(connection, Lock::Compaction)? {
        return Ok((Step::Busy, MINUTES_ONLY));
    }
    // The workers of the app hold its lock from before they read the watermarks until they have stored their data.
    lock_app(connection, app_id)?;
    let mut marks = *AppMarks::load(connection, [app_id])?.of(app_id);
    let (limit, until) = (limit(&marks, level, now), marks.rows[level].until);
    if limit <= until {
        return Ok((Step::Done, marks));
    }
    let [finer, length] = [RESOLUTIONS[level - 1].seconds, RESOLUTIONS[level].seconds];
    let first = first_row(connection, app_id, finer, until)?;
    let start = first.map(|first| first - first.rem_euclid(length)).filter(|start| *start < limit);
    let (step, until) = match start {
        Some(start) => {
            let part = Part { resolution: finer, from: start, to: start + length };
            let mut notes = NewNotes::default();
            durations::add_up(connection, app_id, part, length, &mut notes)?;
            add_up_counts(connection, app_id, part, length)?;
            let mut of_minute = BTreeMap::new();
            notes.add_to(&mut of_minute, now.saturating_mul(MICROS));
            notes::write(connection, &of_minute)?;
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
    marks.rows[level].until = until;
    Ok((step, marks))
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
             UNION ALL
             SELECT min((SELECT min(start) FROM span_sums
                         WHERE span_id = spans.id AND resolution = ?2 AND start >= ?3))
             FROM spans WHERE app_id = ?1 AND seen_on >= ?4 / 86400000000 - 1
         ) AS rows",
    )
    .bind(app_id)
    .bind(resolution)
    .bind(from)
    .bind(from.saturating_mul(MICROS))
    .fetch_one(connection)?;
    Ok(row.try_get(0)?)
}

/// Adds the self times, the errors, and the sums of queries and calls of an app in a range of time up to rows of its length.
fn add_up_counts(connection: &mut Connection, app_id: &str, part: Part, length: i64) -> Result<(), StoreError> {
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
        "INSERT INTO span_sums (span_id, resolution, start, count, sum_ms, estimated_ms, samples, n_plus_one, answered,
                                failed)
         SELECT spans.id, CAST(?6 AS BIGINT), CAST(?4 AS BIGINT), least(sum(span_sums.count), ?7),
                least(sum(span_sums.sum_ms), ?7), least(sum(span_sums.estimated_ms), ?7),
                CAST(least(sum(CAST(span_sums.samples AS DOUBLE PRECISION)), ?7) AS BIGINT),
                CAST(least(sum(CAST(span_sums.n_plus_one AS DOUBLE PRECISION)), ?7) AS BIGINT),
                CAST(least(sum(CAST(span_sums.answered AS DOUBLE PRECISION)), ?7) AS BIGINT),
                CAST(least(sum(CAST(span_sums.failed AS DOUBLE PRECISION)), ?7) AS BIGINT)
         FROM spans JOIN span_sums ON span_sums.span_id = spans.id
         WHERE spans.app_id = ?1 AND spans.seen_on >= ?2 / 86400000000 - 1 AND span_sums.resolution = ?3
           AND span_sums.start >= ?4 AND span_sums.start < ?5
         GROUP BY spans.id
         ON CONFLICT (span_id, resolution, start) DO UPDATE SET
             count = excluded.count, sum_ms = excluded.sum_ms, estimated_ms = excluded.estimated_ms,
             samples = excluded.samples, n_plus_one = excluded.n_plus_one, answered = excluded.answered,
             failed = excluded.failed",
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

#[cfg(test)]
mod tests;

//! The newest runs of scheduled jobs.

use crate::store::database::Store;
use crate::store::engine::{Row, query};
use crate::store::error::StoreError;

/// The newest run of a monitor.
#[derive(Clone, Debug)]
pub(crate) struct CheckInRow {
    /// The name of the monitor.
    pub(crate) monitor: String,
    /// The schedule.
    pub(crate) schedule: String,
    /// The time zone, or an empty string for UTC.
    pub(crate) time_zone: String,
    /// The number of seconds by which a run may start late, if the job states it.
    pub(crate) grace_seconds: Option<u32>,
    /// When the run started, in microseconds since 1970.
    pub(crate) started_at: i64,
    /// The duration in milliseconds; `None` while it runs.
    pub(crate) duration_ms: Option<f64>,
    /// The result; an empty string while it runs.
    pub(crate) result: String,
}

impl Store {
    /// Returns the newest run of each of some of an app's monitors, in the order of their names, and the number of all
    /// monitors.
    pub(crate) async fn check_ins(
        &self,
        app_id: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<CheckInRow>, i64), StoreError> {
        let rows = query(
            "SELECT check_ins.monitor, schedule, time_zone, grace_seconds, check_ins.started_at, duration_ms, result
             FROM (
                 SELECT monitor, max(started_at) AS started_at FROM check_ins WHERE app_id = ?1
                 GROUP BY monitor ORDER BY monitor LIMIT ?2 OFFSET ?3
             ) AS newest JOIN check_ins
             ON check_ins.app_id = ?1 AND check_ins.monitor = newest.monitor
                AND check_ins.started_at = newest.started_at
             ORDER BY check_ins.monitor",
        )
        .bind(app_id)
        .bind(limit)
        .bind(offset)
        .read_all(&self.readers)
        .await?;
        let total = query("SELECT count(DISTINCT monitor) FROM check_ins WHERE app_id = ?");
        let total = total.bind(app_id).read_one(&self.readers).await?.try_get(0)?;
        let check_in = |row: &Row<'_>| {
            Ok(CheckInRow {
                monitor: row.try_get(0)?,
                schedule: row.try_get(1)?,
                time_zone: row.try_get(2)?,
                grace_seconds: row.try_get(3)?,
                started_at: row.try_get(4)?,
                duration_ms: row.try_get(5)?,
                result: row.try_get(6)?,
            })
        };
        Ok((rows.iter().map(check_in).collect::<Result<_, StoreError>>()?, total))
    }
}

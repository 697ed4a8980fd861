//! Scheduled jobs: whether the last run succeeded, and whether the next one is late.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::schedule::Schedule;
use super::time::from_micros;
use super::{AppIdentity, Query, QueryError};
use crate::result_class::ResultClass;
use crate::store::read::CheckInRow;

/// The number of seconds by which a run may start late if its job states none: check-ins arrive after the agent's
/// interval.
const GRACE_SECONDS: u32 = 300;

/// The state of a scheduled job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CronState {
    /// The next run did not start in time.
    Late,
    /// The last run failed, or did not end by itself.
    Failed,
    /// A run has started and not ended.
    Running,
    /// The last run succeeded.
    Ok,
}

/// A scheduled job with its last run.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CronJob {
    /// The name of the monitor.
    pub(crate) monitor: String,
    /// The schedule: a cron expression, or `every <seconds>s`.
    pub(crate) schedule: String,
    /// The time zone of the schedule.
    pub(crate) time_zone: String,
    /// The number of seconds by which a run may start late.
    pub(crate) grace_seconds: u32,
    /// The state.
    pub(crate) state: CronState,
    /// When the last run started, RFC 3339 in UTC.
    #[schema(value_type = String)]
    pub(crate) last_started_at: Timestamp,
    /// The duration of the last run in milliseconds; null while it runs.
    pub(crate) last_duration_ms: Option<f64>,
    /// The result of the last run; null while it runs.
    pub(crate) last_result: Option<String>,
    /// When the next run is expected, RFC 3339 in UTC; null if the schedule or its time zone is unknown.
    #[schema(value_type = Option<String>)]
    pub(crate) next_expected_at: Option<Timestamp>,
}

/// The scheduled jobs of an app.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct CronList {
    /// The number of all scheduled jobs of the app.
    pub(crate) total: i64,
    /// The requested part of the list, in the order of the monitors' names.
    pub(crate) crons: Vec<CronJob>,
}

impl Query {
    /// Returns an app's scheduled jobs with their state at a time.
    pub(crate) async fn crons(
        &self,
        app: &AppIdentity,
        (limit, offset): (i64, i64),
        now: Timestamp,
    ) -> Result<CronList, QueryError> {
        let (rows, total) = self.store.check_ins(&app.id, limit, offset).await?;
        Ok(CronList { total, crons: rows.into_iter().map(|row| job(row, now)).collect() })
    }
}

fn job(row: CheckInRow, now: Timestamp) -> CronJob {
    let CheckInRow { monitor, schedule, time_zone, grace_seconds, started_at, duration_ms, result } = row;
    let last_started_at = from_micros(started_at);
    let next_expected_at =
        Schedule::parse(&schedule, &time_zone).and_then(|schedule| schedule.next_after(last_started_at));
    let grace_seconds = grace_seconds.unwrap_or(GRACE_SECONDS);
    let latest =
        next_expected_at.and_then(|next| next.checked_add(SignedDuration::from_secs(grace_seconds.into())).ok());
    let state = match duration_ms {
        _ if latest.is_some_and(|latest| now > latest) => CronState::Late,
        None => CronState::Running,
        Some(_) if is_failure(&result) => CronState::Failed,
        Some(_) => CronState::Ok,
    };
    CronJob {
        monitor,
        schedule,
        time_zone: if time_zone.is_empty() { "UTC".to_owned() } else { time_zone },
        grace_seconds,
        state,
        last_started_at,
        last_duration_ms: duration_ms,
        last_result: duration_ms.map(|_| result),
        next_expected_at,
    }
}

/// Returns whether a run failed. A run that was cancelled did not do its work.
fn is_failure(result: &str) -> bool {
    matches!(ResultClass::of(result), ResultClass::Failed | ResultClass::ClientError)
}

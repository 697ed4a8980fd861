//! Check-ins of scheduled jobs.

use serde::{Deserialize, Serialize};

/// The start or the end of one run of a scheduled job.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct NewCheckIn {
    /// The app's id.
    pub(crate) app_id: String,
    /// The name of the monitor.
    pub(crate) monitor: String,
    /// The schedule: a cron expression, or `every <seconds>s`.
    pub(crate) schedule: String,
    /// The time zone of the cron expression, or an empty string for UTC.
    pub(crate) time_zone: String,
    /// The number of seconds by which a run may start late, if the job states it.
    pub(crate) grace_seconds: Option<u32>,
    /// When the run started, in microseconds since 1970. It identifies the run.
    pub(crate) started_at: i64,
    /// The duration in milliseconds; `None` while it runs.
    pub(crate) duration_ms: Option<f64>,
    /// The result; an empty string while it runs.
    pub(crate) result: String,
}

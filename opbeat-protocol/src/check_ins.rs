//! The starts and ends of scheduled jobs, in the body of `transactions/`.

use serde::{Deserialize, Serialize};

use super::timestamp::Timestamp;

/// *Extension.* The start or the end of one run of a scheduled job.
///
/// Both have the same monitor and the same start, which identify the run. A run that starts and ends between two bodies
/// is sent once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckIn {
    /// The name of the monitor.
    pub monitor: String,
    /// The schedule: a cron expression of five fields, or `every <seconds>s`.
    pub schedule: String,
    /// The IANA name of the time zone of a cron expression. Without one, the expression is in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The number of seconds by which a run may start late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_seconds: Option<u64>,
    /// When the run started.
    pub started: Timestamp,
    /// The duration in milliseconds; `null` while it runs.
    #[serde(default)]
    pub duration_ms: Option<f64>,
    /// The result, such as `ok` or `failed`; `null` while it runs.
    #[serde(default)]
    pub result: Option<String>,
}

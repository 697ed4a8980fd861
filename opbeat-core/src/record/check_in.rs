//! The starts and ends of scheduled jobs.

use std::time::{Duration, SystemTime};

/// The start or the end of one run of a scheduled job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckInRecord {
    /// The name of the monitor.
    pub monitor: String,
    /// The schedule: a cron expression, or `every 60s`.
    pub schedule: String,
    /// The time zone of a cron expression; `None` for UTC.
    pub time_zone: Option<String>,
    /// The time by which a run may start late, if the job states it.
    pub grace: Option<Duration>,
    /// When the run started.
    pub started_at: SystemTime,
    /// The duration and the result; `None` while it runs.
    pub end: Option<(Duration, &'static str)>,
}

impl CheckInRecord {
    /// Adds a record to a list. The end of a run replaces its start. If the list is full, the oldest record is dropped;
    /// returns whether one was.
    pub(crate) fn add_to(self, list: &mut Vec<Self>, max: usize) -> bool {
        let is_same = |known: &&mut Self| known.started_at == self.started_at && known.monitor == self.monitor;
        if let Some(known) = list.iter_mut().find(is_same) {
            if self.end.is_some() {
                *known = self;
            }
            return false;
        }
        let is_full = list.len() >= max;
        if is_full {
            list.remove(0);
        }
        list.push(self);
        is_full
    }
}

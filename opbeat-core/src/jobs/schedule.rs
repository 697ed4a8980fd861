//! When a scheduled job is expected to run.

use std::borrow::Cow;
use std::time::Duration;

/// The schedule of a job, which the server compares with its runs.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use opbeat_core::jobs::Schedule;
///
/// assert_eq!(Schedule::every(Duration::from_secs(90)).to_string(), "every 90s");
/// assert_eq!(Schedule::from("0 3 * * MON-FRI").to_string(), "0 3 * * MON-FRI");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: Cow<'static, str>,
}

impl Schedule {
    /// Returns a schedule of runs that start at a fixed interval, which is rounded up to whole seconds.
    #[must_use]
    pub fn every(interval: Duration) -> Self {
        let seconds = interval.as_secs().saturating_add(u64::from(interval.subsec_nanos() > 0));
        Self { text: Cow::Owned(format!("every {}s", seconds.max(1))) }
    }
}

/// Makes a schedule of a cron expression: minute, hour, day of the month, month and day of the week.
impl From<&'static str> for Schedule {
    fn from(expression: &'static str) -> Self {
        Self { text: Cow::Borrowed(expression) }
    }
}

/// Makes a schedule of a cron expression.
impl From<String> for Schedule {
    fn from(expression: String) -> Self {
        Self { text: Cow::Owned(expression) }
    }
}

/// Writes the cron expression or the interval.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

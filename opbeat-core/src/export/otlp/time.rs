//! Times as OTLP writes them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Returns a time in nanoseconds since 1970. Times before 1970 become 0.
pub(super) fn nanos(time: SystemTime) -> u64 {
    duration_nanos(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}

pub(super) fn duration_nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn milliseconds(duration: Duration) -> f64 {
    duration_nanos(duration) as f64 / 1e6
}

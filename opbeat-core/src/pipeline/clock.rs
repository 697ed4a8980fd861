//! Points in time from measured instants.

use std::time::{Instant, SystemTime};

/// Tells the time of day of instants, so that the request path reads one clock only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    instant: Instant,
    time: SystemTime,
}

impl Clock {
    /// Reads both clocks. To be done now and then, since the time of day gets corrected.
    pub(crate) fn now() -> Self {
        Self { instant: Instant::now(), time: SystemTime::now() }
    }

    /// Returns the time of day at an instant.
    pub(crate) fn at(&self, instant: Instant) -> SystemTime {
        match instant.checked_duration_since(self.instant) {
            Some(later) => self.time + later,
            None => self.time - self.instant.duration_since(instant),
        }
    }
}

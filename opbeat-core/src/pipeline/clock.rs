//! Points in time from measured instants.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

const MINUTE: Duration = Duration::from_secs(60);

/// What lies further off does not come, and might be no instant of the system's.
const FAR: Duration = Duration::from_secs(10 * 365 * 86_400);

/// Returns the instant after a duration, however long that is.
pub(super) fn after(duration: Duration) -> Instant {
    Instant::now() + duration.min(FAR)
}

/// Tells the time of day of instants, so that the request path reads one clock only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    instant: Instant,
    time: SystemTime,
    /// Minutes since 1970 at `instant`, and when the next one begins.
    minute: u64,
    until: Instant,
}

impl Clock {
    /// Reads both clocks. To be done now and then, since the time of day gets corrected.
    pub(crate) fn now() -> Self {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let gone = Duration::new(since_1970.as_secs() % 60, since_1970.subsec_nanos());
        let left = MINUTE.saturating_sub(gone);
        Self { instant, time, minute: minute_of(time), until: instant + left }
    }

    /// Returns the minute in which the clocks were read, counted from 1970.
    pub(super) fn minute(&self) -> u64 {
        self.minute
    }

    /// Returns the minute that an instant lies in, counted from 1970. Nearly all lie in the one in which the clocks were
    /// read, which takes two comparisons.
    #[inline]
    pub(super) fn minute_at(&self, instant: Instant) -> u64 {
        let is_this_one = self.instant <= instant && instant < self.until;
        if is_this_one { self.minute } else { self.other_minute_at(instant) }
    }

    #[cold]
    fn other_minute_at(&self, instant: Instant) -> u64 {
        minute_of(self.at(instant))
    }

    /// Returns the time of day at an instant.
    pub(crate) fn at(&self, instant: Instant) -> SystemTime {
        match instant.checked_duration_since(self.instant) {
            Some(later) => self.time + later,
            None => self.time - self.instant.duration_since(instant),
        }
    }
}

/// Returns a point's minute, counted from 1970. What lies before counts as 1970.
fn minute_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

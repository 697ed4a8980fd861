//! The time of day of instants.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock::Instant;

const MINUTE: Duration = Duration::from_secs(60);

/// Converts instants to the time of day, so that the request path reads one clock only.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    instant: Instant,
    time: SystemTime,
    /// The minute at `instant`, counted from 1970, and the start of the next one.
    minute: u64,
    until: Instant,
}

impl Clock {
    /// Reads both clocks. A clock must be replaced now and then, because the system corrects its time of day.
    pub(super) fn now() -> Self {
        let (instant, time) = (Instant::now(), SystemTime::now());
        let since_1970 = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let elapsed = Duration::new(since_1970.as_secs() % 60, since_1970.subsec_nanos());
        let left = MINUTE.saturating_sub(elapsed);
        Self { instant, time, minute: minute_of(time), until: instant.after(left) }
    }

    /// Returns the minute in which the clocks were read, counted from 1970.
    pub(super) fn minute(&self) -> u64 {
        self.minute
    }

    /// Returns the minute of an instant, counted from 1970. Nearly all instants are in the minute in which the clocks
    /// were read: that case takes two comparisons.
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
    pub(super) fn at(&self, instant: Instant) -> SystemTime {
        match instant.checked_duration_since(self.instant) {
            Some(later) => self.time + later,
            None => self.time - self.instant.saturating_duration_since(instant),
        }
    }
}

/// Returns the minute of a time, counted from 1970. An earlier time counts as 1970.
fn minute_of(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs() / 60)
}

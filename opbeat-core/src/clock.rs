//! The clock of the request path.
//!
//! A reading of the system's clock takes 25 to 30 ns, and a request reads it at least three times. The processor's
//! counter takes half of that. It is used only where the kernel itself uses it as its clock, which means that it is
//! steady and equal on all processors, and only after a thread has calibrated it. Until then, and everywhere
//! else, instants come from the system's clock. Both count from the same point in time.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// A point in time, in nanoseconds after the process first read the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(u64);

/// The system's clock at the point from which instants count.
static ANCHOR: OnceLock<std::time::Instant> = OnceLock::new();

/// The calibrated counter, if the system has a steady one.
static COUNTER: OnceLock<Option<Counter>> = OnceLock::new();

impl Instant {
    /// Returns the current time.
    #[inline]
    pub(crate) fn now() -> Self {
        match COUNTER.get() {
            Some(Some(counter)) => Self(counter.now()),
            _ => Self(system_now()),
        }
    }

    /// Returns the time since this instant, or zero if it is in the future.
    #[inline]
    pub(crate) fn elapsed(self) -> Duration {
        Self::now().saturating_duration_since(self)
    }

    /// Returns the time since an earlier instant, or zero if that is later.
    #[inline]
    pub(crate) fn saturating_duration_since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// Returns the time since an earlier instant, or `None` if that is later.
    pub(crate) fn checked_duration_since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_nanos)
    }

    /// Returns the instant that is later by a duration.
    pub(crate) fn after(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }

    /// Converts an instant of the system's clock. One from before the first reading becomes the first reading.
    ///
    /// The time from now is converted, because the clocks drift apart: by some milliseconds in an hour.
    pub(crate) fn of_system(instant: std::time::Instant) -> Self {
        let (now, system) = (Self::now(), std::time::Instant::now());
        match system.checked_duration_since(instant) {
            Some(age) => Self(now.0.saturating_sub(nanoseconds(age))),
            None => now.after(instant.saturating_duration_since(system)),
        }
    }

    /// Converts the instant to one of the system's clock, by its time from now.
    pub(crate) fn to_system(self) -> std::time::Instant {
        let (now, system) = (Self::now(), std::time::Instant::now());
        let converted = match now.checked_duration_since(self) {
            Some(age) => system.checked_sub(age),
            None => system.checked_add(self.saturating_duration_since(now)),
        };
        converted.unwrap_or(system)
    }
}

fn anchor() -> std::time::Instant {
    *ANCHOR.get_or_init(std::time::Instant::now)
}

#[inline]
fn system_now() -> u64 {
    nanoseconds(anchor().elapsed())
}

/// A `u64` of nanoseconds overflows after five centuries.
#[inline]
fn nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(duration.subsec_nanos()))
}

/// Calibrates the processor's counter, once per process. It takes 10 to 200 ms, so that a thread of its own does it: an
/// application that has just started may deliver an error and end.
pub(crate) fn calibrate_in_background() {
    static STARTED: AtomicBool = AtomicBool::new(false);
    if !STARTED.swap(true, Ordering::Relaxed) {
        // Without the thread, the system's clock stays in use.
        let _ = thread::Builder::new().name("opbeat-clock".to_owned()).spawn(calibrate);
    }
}

fn calibrate() {
    COUNTER.get_or_init(Counter::calibrated);
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
use counter::Counter;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
use no_counter::Counter;

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod counter {
    use std::fs;

    use super::system_now;

    /// The kernel's clock source. The kernel measures whether the counter is steady, and changes the source if not.
    const CLOCK_SOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

    /// The number of times that both clocks are read.
    const ATTEMPTS: usize = 32;

    /// The processor's counter, with a reading of it and the instant of that reading.
    pub(super) struct Counter {
        clock: quanta::Clock,
        reading: u64,
        instant: u64,
    }

    impl Counter {
        /// Calibrates the counter; `None` if the kernel does not use it as its clock.
        pub(super) fn calibrated() -> Option<Self> {
            let source = fs::read_to_string(CLOCK_SOURCE).ok()?;
            if source.trim() != "tsc" {
                return None;
            }
            let clock = quanta::Clock::new();
            // The thread may be interrupted between the readings of both clocks. The closest ones count.
            let closest = (0..ATTEMPTS).map(|_| (system_now(), clock.raw(), system_now()));
            let (before, reading, after) = closest.min_by_key(|(before, _, after)| after.saturating_sub(*before))?;
            Some(Self { clock, reading, instant: before + after.saturating_sub(before) / 2 })
        }

        /// Returns the nanoseconds after the anchor.
        #[inline]
        pub(super) fn now(&self) -> u64 {
            self.instant.wrapping_add(self.clock.delta_as_nanos(self.reading, self.clock.raw()))
        }
    }
}

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod no_counter {
    /// No counter: the systems' clocks of other platforms are fast enough, or their counters not known to be steady.
    pub(super) enum Counter {}

    impl Counter {
        pub(super) fn calibrated() -> Option<Self> {
            None
        }

        pub(super) fn now(&self) -> u64 {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counter_continues_the_systems_clock() {
        let before = Instant::now();
        calibrate();
        let after = Instant::now();
        assert!(before <= after);
        // The difference to the system's clock stays far below what a request takes.
        let system = std::time::Instant::now();
        let own = Instant::now();
        let difference = own.saturating_duration_since(Instant::of_system(system));
        assert!(difference < Duration::from_millis(20), "{difference:?}");
        let (there, back) = (own.to_system(), Instant::of_system(own.to_system()));
        assert!(there.elapsed() < Duration::from_secs(5));
        let difference = back.saturating_duration_since(own).max(own.saturating_duration_since(back));
        assert!(difference < Duration::from_millis(20), "{difference:?}");
        assert_eq!(own.after(Duration::from_secs(1)).saturating_duration_since(own), Duration::from_secs(1));
    }
}

//! The length of the measurements.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub rounds: usize,
    /// The duration that replaces a second.
    second: Duration,
}

impl Effort {
    pub const FULL: Self = Self { rounds: 5, second: Duration::from_secs(1) };
    pub const SHORT: Self = Self { rounds: 1, second: Duration::from_millis(100) };

    pub fn seconds(self, seconds: u32) -> Duration {
        self.second * seconds
    }

    /// Returns a number of events, scaled to the length of the measurement.
    pub fn share_of(self, count: usize) -> usize {
        (count as f64 * self.second.as_secs_f64()) as usize
    }
}

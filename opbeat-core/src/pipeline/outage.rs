//! A server that is away, and what is told of it.

use std::time::Duration;

use super::ExportError;
use super::exporter::Obstacle;
use crate::notice;

/// The longest time between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(36);

/// A run of failed attempts. Each kind of reason is told once, and so is the end.
#[derive(Default)]
pub(super) struct Outage {
    failures: u32,
    told: Vec<Obstacle>,
}

impl Outage {
    /// Notes a failure and returns how long to wait: the square of the number of failures in seconds, as Opbeat's
    /// agents wait, less up to a fifth at random so that the instances of an application don't come all at once.
    pub(super) fn note(&mut self, error: &ExportError) -> Duration {
        self.failures += 1;
        if !self.told.contains(&error.obstacle) {
            self.told.push(error.obstacle);
            notice::warn(format_args!("{error}"));
        }
        let delay = Duration::from_secs(u64::from(self.failures).pow(2)).min(MAX_DELAY);
        error.retry_after.unwrap_or_else(|| delay.mul_f64(1.0 - 0.2 * fastrand::f64()))
    }

    /// Tells the end where the start was told: whoever saw the warning is to see that it is over.
    pub(super) fn end(&mut self) {
        match self.failures {
            0 => return,
            1 => notice::warn(format_args!("delivery works again, after one failed attempt")),
            failures => notice::warn(format_args!("delivery works again, after {failures} failed attempts")),
        }
        *self = Self::default();
    }
}

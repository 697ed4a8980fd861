//! Failed delivery attempts: the delay between them, and their log lines.

use std::time::Duration;

use super::error::{ExportError, ExportErrorKind};
use crate::notice;

/// The longest delay between two attempts.
const MAX_DELAY: Duration = Duration::from_secs(36);

/// A series of failed attempts. The log shows each kind of failure once, and the end of the series.
#[derive(Default)]
pub(super) struct Outage {
    failures: u32,
    logged: Vec<ExportErrorKind>,
}

impl Outage {
    /// Notes a failed attempt and returns the delay before the next one.
    ///
    /// The delay in seconds is the square of the number of failures, as in all Opbeat agents. Up to a fifth is
    /// subtracted at random, so that the instances of an application do not connect at the same moment.
    pub(super) fn note(&mut self, error: &ExportError) -> Duration {
        self.failures += 1;
        if !self.logged.contains(&error.kind) {
            self.logged.push(error.kind);
            notice::warn(format_args!("{error}"));
        }
        let delay = Duration::from_secs(u64::from(self.failures).pow(2)).min(MAX_DELAY);
        // A receiver that always asks for zero seconds, or for a date in the past, must not make this loop busy.
        let asked = error.retry_after.filter(|asked| self.failures == 1 || !asked.is_zero());
        asked.unwrap_or_else(|| delay.mul_f64(1.0 - 0.2 * fastrand::f64()))
    }

    /// Ends the series. The end is logged as a warning too, so that it appears wherever the start did.
    pub(super) fn end(&mut self) {
        match self.failures {
            0 => return,
            1 => notice::warn(format_args!("delivery works again, after one failed attempt")),
            failures => notice::warn(format_args!("delivery works again, after {failures} failed attempts")),
        }
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_that_asks_for_no_delay_gets_one_attempt_at_once() {
        let mut outage = Outage::default();
        let mut delay = |asked| outage.note(&ExportError::new("away").retry_after(Duration::from_secs(asked)));
        assert_eq!(delay(0), Duration::ZERO);
        assert!(delay(0) >= Duration::from_secs(3), "the usual delay after two failures is 3.2 to 4 s");
        assert_eq!(delay(1), Duration::from_secs(1));
        outage.end();
        assert_eq!(outage.note(&ExportError::new("away").retry_after(Duration::ZERO)), Duration::ZERO);
    }
}

//! Outages of RabbitMQ: logged once at their start and once at their end.

use std::time::Duration;

/// The longest time between two attempts to connect.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// A series of failures.
#[derive(Debug, Default)]
pub(super) struct Outage {
    is_logged: bool,
    failures: u32,
}

impl Outage {
    /// Notes a failure.
    pub(super) fn start(&mut self, reason: &str) {
        if !self.is_logged {
            self.is_logged = true;
            tracing::error!(reason, "RabbitMQ cannot be used; new data waits in the spool on this disk until it can");
        }
    }

    /// Notes a failure. Returns the time until the next attempt, which grows with the number of failures.
    pub(super) fn delay(&mut self) -> Duration {
        self.failures = self.failures.saturating_add(1);
        Duration::from_millis(100 * u64::from(self.failures.min(100)).pow(2)).min(MAX_DELAY)
    }

    /// Notes that RabbitMQ works.
    pub(super) fn end(&mut self) {
        self.failures = 0;
        if std::mem::take(&mut self.is_logged) {
            tracing::info!("RabbitMQ is used again");
        }
    }
}

//! The time that a handler is at work, and not waiting.

use std::time::{Duration, Instant};

/// Adds up the polls of one request.
///
/// It reads no clock of its own where the transaction reads one anyway: at its start, at the head, at its end.
#[derive(Debug, Default)]
pub(super) struct Work {
    since: Option<Instant>,
    busy: Duration,
    longest: Duration,
}

impl Work {
    /// Begins with the work that a service does before its first poll.
    pub(super) fn begin(started: Instant) -> Self {
        Self { since: Some(started), ..Self::default() }
    }

    pub(super) fn resume(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn pause(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            let poll = now.saturating_duration_since(since);
            self.busy += poll;
            self.longest = self.longest.max(poll);
        }
    }

    /// Returns all time at work until now.
    pub(super) fn busy(&self) -> Duration {
        self.busy
    }

    /// Returns the longest poll until now.
    pub(super) fn longest(&self) -> Duration {
        self.longest
    }
}

//! Errors that were sent while their transaction still ran, so that a second report of the same failure is recognised.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{PendingError, merge};

/// The largest number of errors that are remembered.
const MAX_ERRORS: usize = 1_000;

/// The time for which an error is remembered. A later error with the same message is another failure.
const REMEMBERED_FOR: Duration = Duration::from_secs(60);

/// Errors that were sent while their transaction still ran.
#[derive(Default)]
pub(super) struct RecentlySent {
    errors: VecDeque<(PendingError, Instant)>,
}

impl RecentlySent {
    /// Removes errors that only repeat what was sent before, and remembers the others if their transaction still runs.
    pub(super) fn retain_new(&mut self, mut errors: Vec<PendingError>, now: Instant) -> Vec<PendingError> {
        self.errors.retain(|(_, since)| now < *since + REMEMBERED_FOR);
        errors.retain(|error| !self.errors.iter().any(|(sent, _)| merge::repeats(sent, error)));
        let of_running = errors.iter().filter(|error| error.transaction.is_some() && !error.has_ended());
        self.errors.extend(of_running.map(|error| (error.clone(), now)));
        self.errors.drain(..self.errors.len().saturating_sub(MAX_ERRORS));
        errors
    }
}

//! Errors that were sent while their transaction still ran, in case they are told once more.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::{PendingError, merge};

/// So many are remembered.
const MOST: usize = 1_000;

/// What is told later than this is another failure by the same words.
const SAME: Duration = Duration::from_secs(60);

/// Errors that were sent while their transaction still ran.
#[derive(Default)]
pub(super) struct Told {
    errors: VecDeque<(PendingError, Instant)>,
}

impl Told {
    /// Takes out what tells once more of what was sent before, and remembers the rest of what has a running transaction.
    pub(super) fn only_new(&mut self, mut errors: Vec<PendingError>, now: Instant) -> Vec<PendingError> {
        self.errors.retain(|(_, since)| now < *since + SAME);
        errors.retain(|error| !self.errors.iter().any(|(told, _)| merge::retells(told, error)));
        let lasting = errors.iter().filter(|error| error.transaction.is_some() && !error.has_ended());
        self.errors.extend(lasting.map(|error| (error.clone(), now)));
        self.errors.drain(..self.errors.len().saturating_sub(MOST));
        errors
    }
}

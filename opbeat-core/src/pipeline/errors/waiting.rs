//! Errors wait for the end of their transaction, so that they tell its name and result, and show once.

use std::mem;
use std::time::{Duration, Instant};

use super::told::Told;
use super::{PendingError, merge};
use crate::pipeline::queue::Queue;

/// An error waits this long for its transaction's end; one without a name of its transaction waits for that, too.
const PATIENCE: Duration = Duration::from_secs(10);
const PATIENCE_FOR_NAME: Duration = Duration::from_secs(60);

/// So many errors wait. If more come, none waits for its transaction's end.
const MAX_WAITING: usize = 1_000;

/// The errors that wait.
#[derive(Default)]
pub(in super::super) struct Waiting {
    errors: Vec<Waiter>,
    told: Told,
}

struct Waiter {
    error: Box<PendingError>,
    since: Instant,
    /// The transaction had ended before the queue was read last, and so all of its errors are here.
    is_complete: bool,
}

impl Waiting {
    /// Takes in what the queue holds.
    pub(in super::super) fn fill(&mut self, queue: &Queue, now: Instant) {
        for waiter in &mut self.errors {
            waiter.is_complete |= waiter.error.has_ended();
        }
        while self.errors.len() < MAX_WAITING
            && let Some(error) = queue.pop_error()
        {
            let is_complete = error.transaction.is_none() || self.has_complete(&error);
            self.errors.push(Waiter { error, since: now, is_complete });
        }
    }

    /// Takes out the errors whose transactions have ended or that have waited for long enough, one for each failure; all
    /// of them if there are too many.
    pub(in super::super) fn take_ready(&mut self, now: Instant) -> Vec<PendingError> {
        let is_full = self.errors.len() >= MAX_WAITING;
        let ready = self.errors.extract_if(.., |waiter| is_full || waiter.is_ready(now));
        let ready = ready.map(|waiter| *waiter.error).collect();
        self.told.only_new(merge::merge(ready), now)
    }

    /// Takes out all errors, one for each failure.
    pub(in super::super) fn take_all(&mut self, now: Instant) -> Vec<PendingError> {
        let all = mem::take(&mut self.errors).into_iter().map(|waiter| *waiter.error).collect();
        self.told.only_new(merge::merge(all), now)
    }

    /// Returns whether no error waits.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    fn has_complete(&self, error: &PendingError) -> bool {
        self.errors.iter().any(|waiter| waiter.is_complete && waiter.error.shares_transaction(error))
    }
}

impl Waiter {
    fn is_ready(&self, now: Instant) -> bool {
        let waited = now.duration_since(self.since);
        self.is_complete || waited >= PATIENCE_FOR_NAME || (waited >= PATIENCE && self.error.has_name())
    }
}

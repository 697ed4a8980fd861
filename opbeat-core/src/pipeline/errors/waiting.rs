//! Errors wait for the end of their transaction, so that they tell its name and result, and show once.

use std::mem;
use std::time::{Duration, Instant};

use super::{CapturedError, merge};
use crate::pipeline::queue::Queue;

/// An error waits this long for its transaction's end.
const PATIENCE: Duration = Duration::from_secs(2);

/// So many errors wait. If more come, none waits for its transaction's end.
const MAX_WAITING: usize = 1_000;

/// The errors that wait.
#[derive(Default)]
pub(in super::super) struct Waiting {
    errors: Vec<Waiter>,
}

struct Waiter {
    error: Box<CapturedError>,
    until: Instant,
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
            self.errors.push(Waiter { error, until: now + PATIENCE, is_complete });
        }
    }

    /// Takes out the errors whose transactions have ended or that have waited for long enough, one for each failure; all
    /// of them if there are too many.
    pub(in super::super) fn take_ready(&mut self, now: Instant) -> Vec<CapturedError> {
        if self.errors.is_empty() {
            return Vec::new();
        }
        let is_full = self.errors.len() >= MAX_WAITING;
        let ready = self.errors.extract_if(.., |waiter| is_full || waiter.is_complete || waiter.until <= now);
        merge::merge(ready.map(|waiter| *waiter.error).collect())
    }

    /// Takes out all errors, one for each failure.
    pub(in super::super) fn take_all(&mut self) -> Vec<CapturedError> {
        merge::merge(mem::take(&mut self.errors).into_iter().map(|waiter| *waiter.error).collect())
    }

    /// Returns whether no error waits.
    pub(in super::super) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    fn has_complete(&self, error: &CapturedError) -> bool {
        self.errors.iter().any(|waiter| waiter.is_complete && waiter.error.shares_transaction(error))
    }
}

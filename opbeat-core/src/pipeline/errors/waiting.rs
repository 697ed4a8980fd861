//! Errors that wait for the end of their transaction, so that each failure is reported once, with the transaction's
//! final name and result.

use std::mem;
use std::time::{Duration, Instant};

use super::recently_sent::RecentlySent;
use super::{PendingError, merge};

/// The longest time that an error waits for the end of its transaction.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// The same for a transaction that has no name yet. Most jobs are named at their end.
const MAX_WAIT_FOR_NAME: Duration = Duration::from_secs(60);

/// The largest number of errors that wait. If there are more, none of them waits any longer.
const MAX_WAITING: usize = 1_000;

/// The errors that wait.
#[derive(Default)]
pub(in crate::pipeline) struct WaitingErrors {
    errors: Vec<WaitingError>,
    recently_sent: RecentlySent,
}

struct WaitingError {
    error: Box<PendingError>,
    since: Instant,
    /// Whether the transaction had ended before the queue was last drained, so that all of its errors are here.
    is_complete: bool,
}

impl WaitingErrors {
    /// Adds the queued errors.
    pub(in crate::pipeline) fn fill(&mut self, mut pop: impl FnMut() -> Option<Box<PendingError>>, now: Instant) {
        for waiting in &mut self.errors {
            waiting.is_complete |= waiting.error.has_ended();
        }
        while self.errors.len() < MAX_WAITING
            && let Some(error) = pop()
        {
            let is_complete = error.transaction.is_none() || self.has_complete(&error);
            self.errors.push(WaitingError { error, since: now, is_complete });
        }
    }

    /// Takes out the errors whose transactions have ended or that have waited for long enough, one for each failure. If
    /// too many errors wait, it takes out all of them.
    pub(in crate::pipeline) fn take_ready(&mut self, now: Instant) -> Vec<PendingError> {
        let is_full = self.errors.len() >= MAX_WAITING;
        let ready = self.errors.extract_if(.., |waiting| is_full || waiting.is_ready(now));
        let ready = ready.map(|waiting| *waiting.error).collect();
        self.recently_sent.retain_new(merge::merge(ready), now)
    }

    /// Takes out all errors, one for each failure.
    pub(in crate::pipeline) fn take_all(&mut self, now: Instant) -> Vec<PendingError> {
        let all = mem::take(&mut self.errors).into_iter().map(|waiting| *waiting.error).collect();
        self.recently_sent.retain_new(merge::merge(all), now)
    }

    /// Returns whether no error waits.
    pub(in crate::pipeline) fn is_empty(&self) -> bool {
        self.errors.is_empty()
    }

    fn has_complete(&self, error: &PendingError) -> bool {
        self.errors.iter().any(|waiting| waiting.is_complete && waiting.error.shares_transaction(error))
    }
}

impl WaitingError {
    fn is_ready(&self, now: Instant) -> bool {
        let waited = now.duration_since(self.since);
        self.is_complete || waited >= MAX_WAIT_FOR_NAME || (waited >= MAX_WAIT && self.error.has_name())
    }
}

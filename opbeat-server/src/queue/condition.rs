//! The condition of the queue, for the health check.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::error::AppendError;

/// A write that failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    /// The time of the failure.
    pub(crate) at: Instant,
    /// Its reason.
    pub(crate) reason: String,
}

/// The results of the last appends, and the damage that was found.
#[derive(Debug, Default)]
pub(crate) struct Condition {
    last: Mutex<Last>,
    damages: AtomicU64,
    /// The number of records in files of their own, since RabbitMQ does not take them.
    set_aside: AtomicU64,
}

#[derive(Debug, Default)]
struct Last {
    /// The last write, if it failed.
    failure: Option<Failure>,
    /// The time of the last refusal because the queue had no room, if no data of an app was appended since.
    refusal: Option<Instant>,
    /// The time of the last refusal because an app had its whole part of the queue.
    refusal_of_app: Option<Instant>,
}

impl Condition {
    /// Records the result of an append. `is_of_app` is whether it was data of an app: that the server's own small records
    /// fit does not mean that bodies do.
    pub(crate) fn record(&self, appended: &Result<(), AppendError>, is_of_app: bool) {
        let mut last = self.lock();
        match appended {
            Ok(()) => {
                last.failure = None;
                if is_of_app {
                    last.refusal = None;
                }
            }
            Err(error @ (AppendError::Disk(_) | AppendError::Closed)) => {
                last.failure = Some(Failure { at: Instant::now(), reason: error.to_string() });
            }
            Err(AppendError::Full(_)) => last.refusal = Some(Instant::now()),
            Err(AppendError::AppFull(_)) => last.refusal_of_app = Some(Instant::now()),
            Err(AppendError::Busy | AppendError::TooLarge(_)) => {}
        }
    }

    /// Returns the last write, if it failed.
    pub(crate) fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    /// Returns the time of the last refusal because the queue had no room, if no data of an app was appended since.
    pub(crate) fn refusal(&self) -> Option<Instant> {
        self.lock().refusal
    }

    /// Returns the time of the last refusal because an app had its whole part of the queue.
    pub(crate) fn refusal_of_app(&self) -> Option<Instant> {
        self.lock().refusal_of_app
    }

    /// Counts a damaged part that was found.
    pub(crate) fn count_damage(&self) {
        self.damages.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of damaged parts since the start.
    pub(crate) fn damages(&self) -> u64 {
        self.damages.load(Ordering::Relaxed)
    }

    /// Sets the number of records that RabbitMQ does not take, since they are too large.
    pub(crate) fn set_set_aside(&self, records: u64) {
        self.set_aside.store(records, Ordering::Relaxed);
    }

    /// Returns the number of records that RabbitMQ does not take, since they are too large.
    pub(crate) fn set_aside(&self) -> u64 {
        self.set_aside.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The condition of the queue, for the health check.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
pub(super) struct Condition {
    last: Mutex<Last>,
    damages: AtomicU64,
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
    /// Records a write. `is_of_app` is whether it was data of an app: that the server's own small records fit does not
    /// mean that bodies do.
    pub(super) fn succeed(&self, is_of_app: bool) {
        let mut last = self.lock();
        last.failure = None;
        if is_of_app {
            last.refusal = None;
        }
    }

    pub(super) fn fail(&self, reason: &dyn std::error::Error) {
        self.lock().failure = Some(Failure { at: Instant::now(), reason: reason.to_string() });
    }

    pub(super) fn refuse(&self) {
        self.lock().refusal = Some(Instant::now());
    }

    pub(super) fn refuse_app(&self) {
        self.lock().refusal_of_app = Some(Instant::now());
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.lock().failure.clone()
    }

    pub(super) fn refusal(&self) -> Option<Instant> {
        self.lock().refusal
    }

    pub(super) fn refusal_of_app(&self) -> Option<Instant> {
        self.lock().refusal_of_app
    }

    pub(super) fn count_damage(&self) {
        self.damages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn damages(&self) -> u64 {
        self.damages.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

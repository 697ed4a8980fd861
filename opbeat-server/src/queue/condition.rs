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

/// The result of the last write, and the damage that was found.
#[derive(Debug, Default)]
pub(super) struct Condition {
    failure: Mutex<Option<Failure>>,
    damages: AtomicU64,
}

impl Condition {
    pub(super) fn succeed(&self) {
        *self.lock() = None;
    }

    pub(super) fn fail(&self, reason: &dyn std::error::Error) {
        *self.lock() = Some(Failure { at: Instant::now(), reason: reason.to_string() });
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.lock().clone()
    }

    pub(super) fn count_damage(&self) {
        self.damages.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn damages(&self) -> u64 {
        self.damages.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

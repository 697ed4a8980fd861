//! The progress of a fetch.

use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Shared between the client and the caller.
pub(super) struct Meter {
    received: AtomicU64,
    /// The bytes of all fetches with this number.
    progress: Arc<AtomicU64>,
    failure: Mutex<Option<Failure>>,
}

/// The failures that the caller must distinguish. The Git library passes errors of a transport on as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    TooLarge,
    Forbidden,
    Redirected,
    OutOfTime,
    Private { host: String, address: IpAddr },
}

impl Meter {
    pub(super) fn new(progress: &Arc<AtomicU64>) -> Self {
        Self { received: AtomicU64::new(0), progress: Arc::clone(progress), failure: Mutex::default() }
    }

    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    pub(super) fn add(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::Relaxed);
        self.progress.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keeps the first failure: later ones follow from it.
    pub(super) fn fail(&self, failure: Failure, message: &'static str) -> io::Error {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        io::Error::other(message)
    }
}

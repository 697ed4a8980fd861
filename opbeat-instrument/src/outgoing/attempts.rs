//! The attempts of a call, which a layer that retries makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// The number of times that a layer below, such as one that retries, has sent the request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts(Arc<AtomicU32>);

impl Attempts {
    /// Counts one more attempt.
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns the number of attempts after the first.
    pub(super) fn retries(&self) -> u32 {
        self.0.load(Ordering::Relaxed).saturating_sub(1)
    }
}

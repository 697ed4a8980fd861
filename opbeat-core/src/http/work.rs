//! The time that a handler is at work, and not waiting.

/// Adds up the polls of one request, in nanoseconds since its start.
///
/// It needs no reading of the clock where the transaction reads it anyway: at its start, at the head and at the end.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// When the work began that goes on now.
    since: Option<u64>,
    busy: u64,
    longest: u64,
}

impl Work {
    /// Begins with the work that a service does when it is called. Whoever calls it polls at once; what waits in between
    /// lies around the adapter, and counts as its work.
    pub(super) fn begin() -> Self {
        Self { since: Some(0), ..Self::default() }
    }

    #[inline]
    pub(super) fn resume(&mut self, now: impl FnOnce() -> u64) {
        self.since.get_or_insert_with(now);
    }

    #[inline]
    pub(super) fn pause(&mut self, now: u64) {
        if let Some(since) = self.since.take() {
            let poll = now.saturating_sub(since);
            self.busy += poll;
            self.longest = self.longest.max(poll);
        }
    }

    /// Returns all time at work until now.
    pub(super) fn busy(&self) -> u64 {
        self.busy
    }

    /// Returns the longest poll until now.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }
}

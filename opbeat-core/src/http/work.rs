//! The time that a request's handler and body are polled.

/// Adds up the polls of one request, in nanoseconds since its start.
///
/// It reads no clock itself when the transaction reads it anyway: at its start, at the response head and at the end.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// The start of the poll that is running now.
    since: Option<u64>,
    busy: u64,
    longest: u64,
}

impl Work {
    /// Begins while the service is called, before the first poll of its future.
    ///
    /// The caller of a service usually polls the future at once. If outer layers wait in between, that time counts as
    /// work too.
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

    /// Returns the sum of all polls until now.
    pub(super) fn busy(&self) -> u64 {
        self.busy
    }

    /// Returns the longest poll until now.
    pub(super) fn longest(&self) -> u64 {
        self.longest
    }
}

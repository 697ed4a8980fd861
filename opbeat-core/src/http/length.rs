//! Bodies that end with their length.

use super::HttpTransaction;

impl HttpTransaction {
    /// Says how many bytes the response's body has, where its head or the body itself tells. Returns whether it ends there.
    ///
    /// Servers don't ask a body for its end when they have written that many, and drop it: [`sent`](Self::sent) finds it.
    #[must_use]
    pub fn declare_length(&mut self, length: u64) -> bool {
        self.live.as_mut().is_none_or(|live| live.declare_length(length))
    }

    /// Counts bytes of the body. Returns whether they were the last ones that were declared: the adapter then calls
    /// [`complete`](Self::complete).
    #[must_use]
    #[inline]
    pub fn sent(&mut self, bytes: usize) -> bool {
        self.live.as_mut().is_some_and(|live| live.note_sent(bytes as u64))
    }
}

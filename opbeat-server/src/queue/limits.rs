//! The limits of the queue.

/// Limits on the queue's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueLimits {
    /// The size in bytes at which a segment is closed and the next one is created.
    pub segment: u64,
    /// The largest number of bytes that wait for the worker. One app may have a quarter of them.
    pub backlog: u64,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self { segment: 16 << 20, backlog: 2 << 30 }
    }
}

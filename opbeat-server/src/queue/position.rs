//! A place in the queue.

/// A place between two records: a segment's number and an offset in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The segment.
    pub segment: u64,
    /// Bytes from the segment's start.
    pub offset: u64,
}

impl Position {
    /// Returns the start of a segment.
    #[must_use]
    pub const fn start_of(segment: u64) -> Self {
        Self { segment, offset: 0 }
    }
}

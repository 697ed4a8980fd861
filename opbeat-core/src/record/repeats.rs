//! When the spans ran that have no record of their own, so that self times stay exact.

use std::time::Duration;

/// The largest number of intervals that are kept of a transaction, of 24 bytes each. Further ones are added up.
const MAX_INTERVALS: usize = 4_096;

/// The intervals in which combined and dropped spans ran.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeats {
    intervals: Vec<Interval>,
    /// The time of the spans beyond [`MAX_INTERVALS`], by parent.
    uncounted: Vec<(Option<u32>, Duration)>,
}

/// A `u64` of nanoseconds overflows after five centuries.
fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().wrapping_mul(1_000_000_000).wrapping_add(time.subsec_nanos().into())
}

/// The interval in which a span ran, in nanoseconds from the start of its transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The index of the enclosing span.
    pub(crate) parent: Option<u32>,
}

impl Repeats {
    pub(crate) fn add(&mut self, parent: Option<u32>, start: Duration, end: Duration) {
        if self.intervals.len() < MAX_INTERVALS {
            self.intervals.push(Interval { start: nanoseconds(start), end: nanoseconds(end), parent });
            return;
        }
        let took = end.saturating_sub(start);
        // Most repeats have the same parent as the one before.
        match self.uncounted.iter_mut().rev().find(|(known, _)| *known == parent) {
            Some((_, time)) => *time += took,
            None => self.uncounted.push((parent, took)),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.intervals.is_empty()
    }

    pub(crate) fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    pub(crate) fn uncounted(&self) -> &[(Option<u32>, Duration)] {
        &self.uncounted
    }

    /// Removes all intervals, and releases most of the memory of an unusual number.
    pub(crate) fn clear(&mut self, kept: usize) {
        self.intervals.clear();
        self.intervals.shrink_to(kept);
        self.uncounted.clear();
        self.uncounted.shrink_to(kept);
    }
}

//! The look-up of the span that an equal one is combined with.

use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use foldhash::fast::FixedState;

use crate::record::SpanRecord;

/// The finished leaf spans of a transaction, by a hash of the properties in which repeats are equal.
///
/// The hashes are contiguous, so that 500 of them are searched in about 100 ns. Most spans repeat the one before, which
/// is compared first.
#[derive(Default)]
pub(super) struct Combined {
    hashes: Vec<u64>,
    slots: Vec<u32>,
    last: usize,
}

impl Combined {
    /// Returns the slot of the span with this hash for which `is_equal` holds: unequal spans may have equal hashes.
    pub(super) fn find(&mut self, hash: u64, is_equal: impl Fn(u32) -> bool) -> Option<u32> {
        let found = |index: usize| Some(*self.slots.get(index)?).filter(|slot| is_equal(*slot));
        if self.hashes.get(self.last) == Some(&hash)
            && let Some(slot) = found(self.last)
        {
            return Some(slot);
        }
        let mut indexes = self.hashes.iter().enumerate().filter(|(_, known)| **known == hash).map(|(index, _)| index);
        let (index, slot) = indexes.find_map(|index| Some((index, found(index)?)))?;
        self.last = index;
        Some(slot)
    }

    pub(super) fn add(&mut self, hash: u64, slot: u32) {
        self.last = self.hashes.len();
        self.hashes.push(hash);
        self.slots.push(slot);
    }

    /// Removes all spans, and keeps some of the memory.
    pub(super) fn clear(&mut self, kept: usize) {
        self.last = 0;
        self.hashes.clear();
        self.hashes.shrink_to(kept);
        self.slots.clear();
        self.slots.shrink_to(kept);
    }
}

/// Returns a hash of a span's signature and kind.
pub(super) fn hash(signature: &str, kind: &str) -> u64 {
    let mut hasher = FixedState::default().build_hasher();
    hasher.write(signature.as_bytes());
    hasher.write_u8(0xff);
    hasher.write(kind.as_bytes());
    hasher.finish()
}

/// Returns a hash of all properties in which spans that are combined are equal.
pub(super) fn hash_in(hash: u64, parent: Option<u32>, has_error: bool) -> u64 {
    let parent = parent.map_or(0, |parent| u64::from(parent) + 1);
    let position = parent << 1 | u64::from(has_error);
    hash ^ position.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

/// Returns whether many repeats of a span are a fault of the code that issues them (N+1): a query, a call, an access to
/// a cache, or a message.
///
/// The wait for a connection, its set-up and the borders of a database transaction come with each query that an
/// application makes, and so their repeats say nothing new.
pub(super) fn is_query(kind: &str) -> bool {
    const QUERIES: [&str; 4] = ["db.", "ext.", "cache.", "messaging."];
    let comes_with_queries = kind.starts_with("db.pool.")
        || (kind.starts_with("db.") && [".connect", ".transaction"].iter().any(|end| kind.ends_with(end)));
    QUERIES.iter().any(|query| kind.starts_with(query)) && !comes_with_queries
}

/// Adds a repeat to a span's record.
pub(super) fn add_repeat(record: &mut SpanRecord, start: Duration, end: Duration) {
    let first_end = record.start + record.duration.unwrap_or_default();
    record.start = record.start.min(start);
    record.duration = Some(first_end.max(end).saturating_sub(record.start));
    record.total += end.saturating_sub(start);
    record.count = record.count.saturating_add(1);
}

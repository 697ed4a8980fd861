//! Spans whose end is reported by another call than their start.

use opbeat_core::Span;
use opbeat_core::instrument::Position;

/// The running spans of a library that reports starts and ends separately, by a key that both reports contain.
///
/// A library that is cancelled reports no end. Therefore spans of ended transactions are removed from time to time, and
/// the number of spans is limited.
pub(crate) struct OpenSpans<K> {
    /// From the earliest start to the latest.
    spans: Vec<OpenSpan<K>>,
    /// The number of spans at which those of ended transactions are removed.
    clean_at: usize,
    limit: usize,
}

struct OpenSpan<K> {
    key: K,
    position: Position,
    span: Span,
}

/// The smallest number of spans at which those of ended transactions are removed.
const SMALLEST_CLEAN: usize = 8;

impl<K: PartialEq> OpenSpans<K> {
    /// Makes an empty list for at most `limit` spans.
    pub(crate) const fn new(limit: usize) -> Self {
        Self { spans: Vec::new(), clean_at: SMALLEST_CLEAN, limit }
    }

    /// Returns whether no span runs.
    #[cfg(feature = "diesel")]
    pub(crate) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Adds a span that started at a position. If the list is full, the oldest span ends.
    pub(crate) fn insert(&mut self, key: K, position: Position, span: Span) {
        if self.spans.len() >= self.clean_at {
            self.spans.retain(|open| open.position.is_running());
            if self.spans.len() >= self.limit {
                self.spans.remove(0);
            }
            self.clean_at = (self.spans.len() * 2).clamp(SMALLEST_CLEAN, self.limit);
        }
        self.spans.push(OpenSpan { key, position, span });
    }

    /// Removes the span with this key. Of several, it prefers one that started at the current position, and then the
    /// latest: earlier ones may have been cancelled.
    pub(crate) fn take(&mut self, key: &K) -> Option<Span> {
        let has_key = |open: &OpenSpan<K>| open.key == *key;
        let latest = self.spans.iter().rposition(has_key)?;
        let earlier = self.spans.get(..latest).unwrap_or_default();
        let index = if earlier.iter().any(has_key) {
            let current = Position::current();
            let is_here = |open: &OpenSpan<K>| has_key(open) && current.as_ref() == Some(&open.position);
            self.spans.iter().rposition(is_here).unwrap_or(latest)
        } else {
            latest
        };
        Some(self.spans.remove(index).span)
    }
}

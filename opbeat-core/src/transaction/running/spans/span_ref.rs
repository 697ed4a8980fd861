//! References to the spans of a transaction.

use std::num::NonZeroU32;

/// The value of [`SpanRef::parent`] for a span that has no parent.
const NO_PARENT: u32 = u32::MAX;

/// A reference to a span of a transaction.
///
/// The slot of a combined span is used again, so that the number decides whether a reference is still valid. The span's
/// parent has a child and therefore stays in its slot, so that it stands in for a span that has lost its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SpanRef {
    pub(super) slot: u32,
    /// The number of the span among all spans of its transaction.
    pub(super) number: NonZeroU32,
    parent: u32,
}

impl SpanRef {
    pub(super) fn new(slot: u32, number: NonZeroU32, parent: Option<u32>) -> Self {
        Self { slot, number, parent: parent.unwrap_or(NO_PARENT) }
    }

    /// Returns the slot of the span's parent.
    pub(super) fn parent(self) -> Option<u32> {
        Some(self.parent).filter(|parent| *parent != NO_PARENT)
    }

    /// Returns the number that the span's id in `traceparent` is made of.
    pub(crate) fn number(self) -> u32 {
        self.number.get()
    }
}

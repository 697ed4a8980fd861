//! The call site of a repeated query whose end is reported on another thread.

use std::sync::Arc;

/// The largest number of call sites that a transaction captures, each of which takes about 14 µs.
const MAX_CAPTURED: u8 = 8;

/// The call site that a transaction waits for, or that its code has passed.
#[derive(Default)]
pub(super) struct CallSite {
    /// The number of spans that need one.
    wanted: u16,
    captured: Option<Arc<[usize]>>,
    /// The number of call sites captured so far.
    captures: u8,
}

impl CallSite {
    /// Returns whether the next call site is to be captured.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted > 0 && self.captured.is_none() && self.captures < MAX_CAPTURED
    }

    pub(super) fn is_captured(&self) -> bool {
        self.captured.is_some()
    }

    /// Notes that one more span needs a call site.
    pub(super) fn want(&mut self) {
        self.wanted = self.wanted.saturating_add(1);
    }

    /// Notes that a span which needed a call site has one now.
    pub(super) fn satisfy(&mut self) {
        self.wanted = self.wanted.saturating_sub(1);
    }

    pub(super) fn set(&mut self, stack: Arc<[usize]>) {
        self.captured = Some(stack);
        self.captures = self.captures.saturating_add(1);
    }

    /// Takes the captured call site out: the next query belongs to it, whichever that is.
    pub(super) fn take(&mut self) -> Option<Arc<[usize]>> {
        self.captured.take()
    }
}

//! The count of dropped data.

use std::sync::Mutex;

use crate::lock::lock;
use crate::record::Drops;

/// Counts dropped data since the start, and how much of the count was sent to the server.
#[derive(Debug, Default)]
pub(super) struct DropCounter {
    state: Mutex<DropCounterState>,
}

#[derive(Debug, Default)]
struct DropCounterState {
    total: Drops,
    sent: Drops,
}

impl DropCounter {
    pub(super) fn add(&self, drops: Drops) {
        if !drops.is_empty() {
            lock(&self.state).total += drops;
        }
    }

    /// Returns the drops since the start.
    pub(super) fn total(&self) -> Drops {
        lock(&self.state).total
    }

    /// Returns the drops since the last call, and counts them as sent.
    pub(super) fn take_unsent(&self) -> Drops {
        let mut state = lock(&self.state);
        let unsent = state.total - state.sent;
        state.sent = state.total;
        unsent
    }

    /// Counts drops as unsent again, because the server rejected the body that contained them.
    pub(super) fn return_unsent(&self, drops: Drops) {
        let mut state = lock(&self.state);
        state.sent = state.sent - drops;
    }
}

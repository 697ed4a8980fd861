//! What is left out, counted.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::Drops;

/// Counts what is left out: since the start, and what of it the server does not know yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    total: Drops,
    told: Drops,
}

impl Losses {
    pub(super) fn add(&self, drops: Drops) {
        if !drops.is_empty() {
            self.lock().total += drops;
        }
    }

    /// Returns what was left out since the start.
    pub(super) fn total(&self) -> Drops {
        self.lock().total
    }

    /// Returns what was left out since the last call.
    pub(super) fn take_untold(&self) -> Drops {
        let mut state = self.lock();
        let untold = state.total - state.told;
        state.told = state.total;
        untold
    }

    /// Notes that the server was not told of this after all.
    pub(super) fn untell(&self, drops: Drops) {
        let mut state = self.lock();
        state.told = state.told - drops;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The states of answers that were used.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::handshake::MAX_AGE;

/// The largest number of states that are remembered. The oldest one is forgotten first: a provider accepts a code once.
const MAX_STATES: usize = 4_096;

/// The states of the last minutes. Each signs in at most once.
#[derive(Debug, Default)]
pub(super) struct UsedStates {
    states: Mutex<VecDeque<(String, Instant)>>,
}

impl UsedStates {
    /// Remembers a state, and returns whether it is new.
    pub(super) fn insert(&self, state: &str) -> bool {
        let mut states = self.states.lock().unwrap_or_else(PoisonError::into_inner);
        while states.front().is_some_and(|(_, used_at)| used_at.elapsed() > MAX_AGE) || states.len() >= MAX_STATES {
            states.pop_front();
        }
        let is_new = !states.iter().any(|(used, _)| used == state);
        if is_new {
            states.push_back((state.to_owned(), Instant::now()));
        }
        is_new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_new_once_and_the_list_is_bounded() {
        let used = UsedStates::default();
        assert!(used.insert("a") && used.insert("b") && !used.insert("a"));
        for number in 0..2 * MAX_STATES {
            used.insert(&number.to_string());
        }
        assert!(used.states.lock().unwrap().len() <= MAX_STATES);
    }
}

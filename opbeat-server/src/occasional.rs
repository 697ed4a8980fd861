//! Log lines about events that a client can cause as often as it likes.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The shortest time between two lines.
const INTERVAL: Duration = Duration::from_mins(1);

/// Counts events, and says when to log them: the first one at once, and later ones once a minute.
#[derive(Debug)]
pub(crate) struct Occasional {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    logged: Option<Instant>,
    count: u64,
}

impl Occasional {
    /// Makes a count of no events.
    pub(crate) const fn new() -> Self {
        Self { state: Mutex::new(State { logged: None, count: 0 }) }
    }

    /// Counts an event. Returns the number of events since the last line if it is time for a line.
    pub(crate) fn count(&self) -> Option<u64> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).count(Instant::now())
    }
}

impl State {
    fn count(&mut self, now: Instant) -> Option<u64> {
        self.count += 1;
        if self.logged.is_some_and(|logged| now - logged < INTERVAL) {
            return None;
        }
        self.logged = Some(now);
        Some(std::mem::take(&mut self.count))
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::{INTERVAL, State};

    #[test]
    fn a_minute_has_one_line() {
        let (mut state, start) = (State::default(), Instant::now());
        let counts =
            [start, start, start + INTERVAL / 2, start + INTERVAL, start + INTERVAL].map(|now| state.count(now));
        assert_eq!(counts, [Some(1), None, None, Some(3), None]);
    }
}

//! The time that code waits for a connection of a pool.

use std::time::{Duration, Instant};

use opbeat_core::instrument::{FinishedSpan, Position};

/// Shorter waits are not recorded: the pool had a free connection.
const SHORTEST_WAIT: Duration = Duration::from_millis(1);

/// The kind of all spans of waiting.
const KIND: &str = "db.pool.wait";

/// Records a wait that has ended, if it was long or failed.
pub(crate) fn record(signature: &'static str, waited: Duration, error: Option<&'static str>) {
    if is_shown(waited, error)
        && let Some(position) = Position::current()
    {
        position.record(span(signature, waited, error));
    }
}

fn is_shown(waited: Duration, error: Option<&'static str>) -> bool {
    waited >= SHORTEST_WAIT || error.is_some()
}

fn span(signature: &'static str, waited: Duration, error: Option<&'static str>) -> FinishedSpan {
    let span = FinishedSpan::new(signature, KIND, waited).leaf();
    match error {
        Some(error) => span.extra("error", error),
        None => span,
    }
}

/// A wait for a connection. If it is dropped before its end, the caller has given up, which is recorded too.
pub(crate) struct Wait {
    signature: &'static str,
    /// `None` outside of transactions and after the end.
    running: Option<(Position, Instant)>,
}

impl Wait {
    pub(crate) fn start(signature: &'static str) -> Self {
        Self { signature, running: Position::current().map(|position| (position, Instant::now())) }
    }

    /// Ends the wait, with the kind of the failure if no connection came.
    pub(crate) fn end(mut self, error: Option<&'static str>) {
        if let Some((position, since)) = self.running.take() {
            let waited = since.elapsed();
            if is_shown(waited, error) {
                position.record(span(self.signature, waited, error));
            }
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        if let Some((position, since)) = self.running.take() {
            let waited = since.elapsed();
            if is_shown(waited, None) {
                position.record(span(self.signature, waited, Some("cancelled")));
            }
        }
    }
}

//! Why a flush did not deliver everything.

use std::time::Duration;

/// A flush that did not deliver everything that was recorded before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The deadline came first. Delivery goes on.
    #[error("not everything was delivered within {} ms; delivery goes on", .0.as_millis())]
    Deadline(Duration),
    /// The server could not be reached or refused. Delivery is tried again later.
    #[error("a delivery failed and will be tried again: {0}")]
    Undelivered(String),
    /// All the rest was delivered, but this will never be: it was refused for good.
    #[error("not all of it was taken, and what was refused is lost: {0}")]
    Lost(String),
    /// The agent was shut down before.
    #[error("the agent is shut down")]
    ShutDown,
}

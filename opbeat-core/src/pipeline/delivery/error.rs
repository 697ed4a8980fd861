//! Errors of deliveries and flushes.

use std::time::Duration;

/// A delivery that failed and will be tried again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ExportError {
    /// The reason of the failure, and a remedy. It appears in the application's log.
    pub message: String,
    /// The time for which the receiver wants no further attempt.
    pub retry_after: Option<Duration>,
    /// The kind of the failure. Each kind is logged once per outage.
    pub(crate) kind: ExportErrorKind,
}

/// The kind of a failed delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "intake"), expect(dead_code, reason = "only the exporter to an Opbeat server sets a kind"))]
pub(crate) enum ExportErrorKind {
    #[default]
    Other,
    /// No connection could be made.
    Unreachable,
    /// No response came in time.
    Timeout,
    /// The two sides could not agree on TLS.
    Tls,
    /// The connection closed before a response.
    Disconnected,
    /// The server rejected the token.
    Unauthorized,
    /// The server redirected to another address.
    Moved,
    /// The program at the server's address is not an Opbeat server.
    NotOpbeat,
    /// The server responded with 408, 429 or 5xx.
    ServerError,
}

impl ExportError {
    /// Makes an error from its message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry_after: None, kind: ExportErrorKind::Other }
    }

    /// Sets the time for which the receiver wants no further attempt.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Sets the kind.
    #[cfg(feature = "intake")]
    pub(crate) fn kind(mut self, kind: ExportErrorKind) -> Self {
        self.kind = kind;
        self
    }
}

/// A flush that did not deliver everything recorded before it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlushError {
    /// The deadline passed. Delivery continues in the background.
    #[error("not everything was delivered within {} ms; delivery continues in the background", .0.as_millis())]
    Deadline(Duration),
    /// A delivery attempt failed. It is repeated in the background.
    #[error("a delivery failed and will be tried again: {0}")]
    Undelivered(String),
    /// Everything was sent, but a part of it was rejected for good and is dropped.
    #[error("a part of the data was rejected for good and is dropped: {0}")]
    Rejected(String),
    /// The agent was shut down before.
    #[error("the agent is shut down")]
    ShutDown,
}

//! The way out of the process.

use std::time::Duration;

use super::{Batch, Contact};

/// Delivers batches: to an Opbeat server, into memory, or wherever an application wants them.
///
/// It is called from a thread of its own, never concurrently, and may block.
pub trait Exporter: Send + 'static {
    /// Delivers a batch.
    ///
    /// It takes out of the batch what is settled; what is left when it returns an error is passed to it again later. What
    /// it takes out and will never deliver, it tells by [`Batch::refuse`]. If it panics, what is left is lost.
    ///
    /// # Errors
    ///
    /// Returns an error when another attempt may succeed.
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError>;

    /// Finds out whether a delivery would work, and says what it found: for the log, at the start.
    ///
    /// # Errors
    ///
    /// Returns an error that says what to do if it would not work.
    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        Ok(None)
    }
}

/// A delivery that failed and will be tried again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
#[non_exhaustive]
pub struct ExportError {
    /// What went wrong and what to do about it: the application's log shows it.
    pub message: String,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
    /// What kind of reason it is: of an outage each is told once.
    pub(crate) obstacle: Obstacle,
}

/// What keeps deliveries from arriving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(not(feature = "intake"), expect(dead_code, reason = "only the exporter to a server tells them apart"))]
pub(crate) enum Obstacle {
    #[default]
    Other,
    /// There is no connection.
    Unreachable,
    /// No answer came in time.
    Silent,
    /// The two sides do not agree about TLS.
    Tls,
    /// The connection broke off.
    BrokenOff,
    /// The token is not accepted.
    Denied,
    /// The server is elsewhere.
    Moved,
    /// Something answers that is no Opbeat server.
    Stranger,
    /// The server has troubles of its own.
    Failing,
}

impl ExportError {
    /// Says what went wrong.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry_after: None, obstacle: Obstacle::Other }
    }

    /// Says how long the receiver asks to be left alone.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }

    /// Says what kind of reason it is.
    #[cfg(feature = "intake")]
    pub(crate) fn obstacle(mut self, obstacle: Obstacle) -> Self {
        self.obstacle = obstacle;
        self
    }
}

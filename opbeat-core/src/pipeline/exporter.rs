//! The way out of the process.

use std::time::Duration;

use super::Batch;

/// Delivers batches: to an Opbeat server, into memory, or wherever an application wants them.
///
/// It is called from a thread of its own, never concurrently, and may block.
pub trait Exporter: Send + 'static {
    /// Delivers a batch.
    ///
    /// It takes out of the batch what is settled, delivered or refused for good; what is left when it returns an error
    /// is passed to it again later.
    ///
    /// # Errors
    ///
    /// Returns an error when another attempt may succeed.
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError>;

    /// Finds out whether a delivery would work, and says what it found. Asked once, at the start.
    ///
    /// # Errors
    ///
    /// Returns an error that says what to do if it would not work.
    fn probe(&mut self) -> Result<Option<String>, ExportError> {
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
}

impl ExportError {
    /// Says what went wrong.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), retry_after: None }
    }

    /// Says how long the receiver asks to be left alone.
    #[must_use]
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.retry_after = Some(delay);
        self
    }
}

//! The trait that delivers batches.

use super::{Batch, Contact, ExportError};

/// Delivers batches: to an Opbeat server, into memory, or wherever an application wants them.
///
/// The delivery thread owns the exporter and calls it. Calls are never concurrent, and they may block.
pub trait Exporter: Send + 'static {
    /// Delivers a batch.
    ///
    /// Take out of the batch everything that is delivered. If this returns an error, the rest of the batch is passed to
    /// it again later. Data that you take out but will never deliver must be passed to [`Batch::reject`], which counts
    /// it. If this panics, the rest of the batch is dropped.
    ///
    /// # Errors
    ///
    /// Returns an error if another attempt may succeed.
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError>;

    /// Checks whether a delivery would work. The agent calls it at its start and logs the result.
    ///
    /// # Errors
    ///
    /// Returns an error that names the reason and a remedy if a delivery would fail.
    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        Ok(None)
    }
}

impl<E: Exporter + ?Sized> Exporter for Box<E> {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        (**self).export(batch)
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        (**self).probe()
    }
}

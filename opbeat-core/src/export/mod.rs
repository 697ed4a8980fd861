//! Delivery of records: the [`Exporter`] trait, the batches that it receives, and the exporter to an Opbeat server.

#[cfg(feature = "intake")]
mod intake;

pub use crate::diagnosis::Diagnosis;
pub use crate::pipeline::{Batch, Build, Contact, ExportError, Exporter, FlushError};

#[cfg(feature = "intake")]
pub use intake::IntakeExporter;

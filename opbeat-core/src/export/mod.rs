//! Delivery of records: the [`Exporter`] trait, the batches that it receives, and the exporters to an Opbeat server and
//! to receivers of OpenTelemetry.

#[cfg(feature = "intake")]
mod host;
#[cfg(feature = "intake")]
mod http;
#[cfg(feature = "intake")]
mod intake;
#[cfg(feature = "otlp")]
mod otlp;

pub use crate::diagnosis::Diagnosis;
pub use crate::pipeline::{Batch, Build, Contact, ExportError, Exporter, FlushError};

#[cfg(feature = "intake")]
pub use intake::IntakeExporter;
#[cfg(feature = "otlp")]
pub use otlp::OtlpExporter;

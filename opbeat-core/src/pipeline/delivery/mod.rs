//! The delivery of batches: the outbox, the thread that empties it, and the exporter that the thread calls.
//!
//! ```text
//! worker ─► outbox: backlog of batches, drop counter ─► delivery thread ─► exporter
//!                                                       │ logs outages and rejections
//!                                                       └ retries after a growing delay
//!        └► outbox of a second exporter, with a thread of its own
//! ```

mod backlog;
mod batch;
mod build;
mod contact;
mod delivery_thread;
mod drop_counter;
mod error;
mod exporter;
mod outage;
mod outbox;
mod outboxes;
mod queued_batch;
mod rejections;
mod sums;

pub use batch::Batch;
pub use build::Build;
pub use contact::Contact;
#[cfg(feature = "intake")]
pub(crate) use error::ExportErrorKind;
pub use error::{ExportError, FlushError};
pub use exporter::Exporter;
pub(super) use outboxes::Outboxes;

//! From finished transactions and captured errors to batches that an exporter delivers.
//!
//! ```text
//! request path ─► Recorder ─► Shards: counts and samples ─┐
//!                 never blocks                            ├─► worker thread ─► Outbox ─► sender thread ─► Exporter
//!                          └─► Queue: errors ─────────────┘   symbols, scrubbing         bounded   back-off
//! ```

mod batch;
mod build;
mod clock;
mod contact;
mod counts;
mod errors;
mod exporter;
mod finished;
mod flush;
mod ignore;
mod losses;
mod outage;
mod outbox;
mod queue;
mod recorder;
mod refusal;
mod scrub;
mod sender;
mod settings;
mod shards;
mod symbols;
mod worker;

pub use batch::Batch;
pub use build::Build;
pub(crate) use clock::Clock;
pub use contact::Contact;
#[cfg(feature = "intake")]
pub(crate) use exporter::Obstacle;
pub use exporter::{ExportError, Exporter};
pub(crate) use finished::Finished;
pub use flush::FlushError;
pub(crate) use ignore::Ignore;
pub(crate) use recorder::{Pipeline, Recorder, WeakRecorder};
pub(crate) use settings::Settings;

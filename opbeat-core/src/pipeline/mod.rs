//! From finished transactions and captured errors to batches that an exporter delivers.
//!
//! ```text
//! request path ─► recorder ─► queue ─┬─► counting: every transaction, some as samples ─┐
//!                 never blocks       └─► errors: one report for one failure ───────────┤
//!                                                                                      ▼
//!                                        worker thread: symbols, scrubbing, one batch an interval
//!                                                                                      │
//!                      exporter ◄─ delivery thread: retries ◄─ outbox, within bounds ◄─┘
//! ```
//!
//! `lifecycle` starts and stops both threads.

mod before_send;
mod counting;
mod delivery;
mod errors;
mod freezes;
mod lifecycle;
mod queue;
mod recorder;
mod scrub;
mod settings;
mod stacks;
mod symbols;
mod worker;

pub(crate) use before_send::BeforeSend;
#[cfg(feature = "intake")]
pub(crate) use delivery::ExportErrorKind;
pub use delivery::{Batch, Build, Contact, ExportError, Exporter, FlushError};
pub(crate) use errors::TransactionHandle;
pub(crate) use lifecycle::Pipeline;
pub(crate) use recorder::{Recorder, WeakRecorder};
pub(crate) use settings::{Ignore, SampleLimits, Settings};
pub(crate) use stacks::KnownStack;

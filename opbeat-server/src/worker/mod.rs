//! The worker: reads the queue in order, and stores the changes.
//!
//! ```text
//! queue ─► decode the changes ─► Store::apply, with the mark ─► acknowledge the batch
//!              │ damaged              │ the database is unavailable: retry later
//!              ▼                      │ it rejects one body: try them one by one
//!           parked                    ▼
//! ```

mod legacy;
mod record;
mod run;

pub(crate) use record::decode_parked;
pub(crate) use run::Worker;

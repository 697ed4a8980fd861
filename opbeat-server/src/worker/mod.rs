//! The worker: reads the queue in order, and stores the data of the bodies.
//!
//! ```text
//! queue ─► interpret (pure: scrub, group, roll up) ─► Store::apply, with the cursor ─► release the queue
//!              │ invalid body                            │ the database is unavailable: retry later
//!              ▼                                         │ it rejects one body: try them one by one
//!           parked                                       ▼
//! ```

mod context;
mod errors;
mod frames;
mod interpret;
mod run;
mod scrub;
mod traces;
mod transactions;

pub(crate) use run::Worker;

//! The roles: parts of the server that start and stop by themselves, in one process or in several.
//!
//! ```text
//! intake ─► queue ─► worker ─► store ◄─ web
//! ```

mod intake;
mod web;
mod worker;

pub(super) use intake::IntakeRole;
pub(super) use web::WebRole;
pub(super) use worker::WorkerRole;

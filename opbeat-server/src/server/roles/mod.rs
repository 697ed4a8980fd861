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

/// The parts of the server that run in a process. Each process answers the health check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roles {
    /// Accepts data from agents and from OpenTelemetry, and appends it to the queue.
    pub intake: bool,
    /// Stores the data of the queue.
    pub worker: bool,
    /// Answers pages and the API.
    pub web: bool,
}

impl Roles {
    /// All roles in one process.
    pub const ALL: Self = Self { intake: true, worker: true, web: true };
    /// Intake only.
    pub const INTAKE: Self = Self { intake: true, worker: false, web: false };
    /// The worker only.
    pub const WORKER: Self = Self { intake: false, worker: true, web: false };
    /// Pages and API only.
    pub const WEB: Self = Self { intake: false, worker: false, web: true };
}

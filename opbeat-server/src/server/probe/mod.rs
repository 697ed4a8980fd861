//! The end-to-end probe: sends a synthetic transaction through everything, and measures the time until it can be read.
//!
//! ```text
//! prepare: an app of its own and a token ─► send: the intake, over HTTP ─► 202
//!                                              │ decode, queue, worker, store
//!                                              ▼
//!                                   store: is the sample in the read model? ─► the time to visible
//! ```
//!
//! A process probes if it has the pages, and an intake: its own, or that of `probe.url`. The app belongs to an organization
//! that no list contains, and its data is kept for a day. The token is in memory only, and the store has its hash.
//!
//! A failure changes no readiness: without the database, probes fail, and intake accepts data.

mod client;
mod condition;
mod run;

pub(super) use client::Target;
pub(super) use condition::{ProbeCondition, ProbeFigures, ProbeState, Step};
pub(super) use run::Probe;

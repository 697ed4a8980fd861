//! Traces whose spans arrive one by one: joins spans to their transactions, and errors to their spans.
//!
//! ```text
//! new spans + pending spans ─► a transaction among them: its sample and its breakdown
//!                          ├─► of a known transaction: added to its sample and its breakdown
//!                          └─► else: pending, for an hour
//! ```

mod errors;
mod exceptions;
mod join;
mod rows;
mod trace;

pub(super) use join::join;

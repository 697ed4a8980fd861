//! Futures, tasks and threads that run inside a transaction.

#[cfg(feature = "tokio")]
mod spawn;

#[cfg(feature = "tokio")]
pub use spawn::{JoinSetExt, spawn, spawn_blocking, spawn_local};

pub use crate::transaction::{Detached, Entered, InSpan, InTransaction};

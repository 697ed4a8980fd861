//! Futures, tasks and threads that run in a transaction.
//!
//! With the feature `tokio`, `spawn`, `spawn_blocking` and `spawn_local` replace tokio's functions of the same names,
//! and `JoinSetExt` adds methods to tokio's `JoinSet`. For other executors and thread pools, use
//! [`CurrentTransaction::detach`](crate::CurrentTransaction::detach), [`wrap`](crate::CurrentTransaction::wrap) and
//! [`wrap_fn`](crate::CurrentTransaction::wrap_fn).
//!
//! Late work is work that outlives its transaction, such as a spawned task that nothing awaits. It continues in a
//! background transaction of its own, except in futures from `wrap`, whose late work is not recorded.

mod session;
#[cfg(feature = "tokio")]
mod spawn;

pub use session::session;
#[cfg(feature = "tokio")]
pub use spawn::{JoinSetExt, spawn, spawn_blocking, spawn_local};

pub use crate::transaction::{Detached, Entered, InSpan, InTransaction};

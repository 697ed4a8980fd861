//! Tasks of tokio that stay in their transaction.

use std::future::Future;

use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::transaction::current;

/// Spawns a task that is part of the current transaction for as long as that runs.
///
/// What is left of it then becomes a background transaction of its own, of the kind `task.detached`, which knows its
/// parent. A panic in it is reported in either.
///
/// # Panics
///
/// Panics outside of a tokio runtime, as [`tokio::spawn`] does.
///
/// # Examples
///
/// ```
/// # async fn send_mail() {}
/// # async fn handler() {
/// opbeat_core::task::spawn(send_mail());
/// # }
/// ```
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(current().detach(future))
}

/// Runs blocking work on a thread for it, with the transaction current.
///
/// # Panics
///
/// Panics outside of a tokio runtime, as [`tokio::task::spawn_blocking`] does.
///
/// # Examples
///
/// ```
/// # async fn handler() -> Result<(), Box<dyn std::error::Error>> {
/// let digest = opbeat_core::task::spawn_blocking(|| {
///     let _hashing = opbeat_core::span("hash password", "code.hash");
///     42
/// });
/// assert_eq!(digest.await?, 42);
/// # Ok(())
/// # }
/// ```
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(current().wrap_fn(work))
}

/// Spawns tasks onto a [`JoinSet`] that are part of the current transaction.
pub trait JoinSetExt<T> {
    /// Spawns a task that is part of the current transaction for as long as that runs; see [`spawn`].
    fn spawn_current(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static;

    /// Runs blocking work on a thread for it, with the transaction current.
    fn spawn_blocking_current(&mut self, work: impl FnOnce() -> T + Send + 'static) -> AbortHandle
    where
        T: Send + 'static;
}

impl<T> JoinSetExt<T> for JoinSet<T> {
    fn spawn_current(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.spawn(current().detach(future))
    }

    fn spawn_blocking_current(&mut self, work: impl FnOnce() -> T + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.spawn_blocking(current().wrap_fn(work))
    }
}

//! Tasks of tokio that stay in their transaction.

use std::future::Future;

use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::transaction::current;

/// Spawns a task that is part of the current transaction for as long as that runs.
///
/// What is left of it then becomes a background transaction of its own, of the kind `task.detached`, which knows its
/// parent and is named after the code. A panic in it is reported in either. A runtime that is dropped cancels its tasks:
/// what was left of them counts as `cancelled`.
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
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    tokio::spawn(current().detach(future))
}

/// Spawns a task that stays on its thread, as [`spawn`] does: for futures that are not `Send`.
///
/// # Panics
///
/// Panics outside of a [`LocalSet`](tokio::task::LocalSet) and of runtimes for one thread such as actix's, as
/// [`tokio::task::spawn_local`] does.
///
/// # Examples
///
/// ```
/// # use std::rc::Rc;
/// # async fn handler() {
/// let basket = Rc::new(["tea"]);
/// opbeat_core::task::spawn_local(async move { println!("{basket:?}") });
/// # }
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    tokio::task::spawn_local(current().detach(future))
}

/// Runs blocking work on a thread for it, with the transaction current.
///
/// What is left of it when that ends becomes a transaction of its own, as with [`spawn`].
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
#[track_caller]
pub fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> JoinHandle<T> {
    tokio::task::spawn_blocking(current().wrap_fn(work))
}

/// Spawns tasks onto a [`JoinSet`] that are part of the current transaction.
pub trait JoinSetExt<T> {
    /// Spawns a task that is part of the current transaction for as long as that runs; see [`spawn`].
    #[track_caller]
    fn spawn_current(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static;

    /// Spawns a task that stays on its thread; see [`spawn_local`].
    #[track_caller]
    fn spawn_local_current(&mut self, future: impl Future<Output = T> + 'static) -> AbortHandle
    where
        T: 'static;

    /// Runs blocking work on a thread for it, with the transaction current; see [`spawn_blocking`].
    #[track_caller]
    fn spawn_blocking_current(&mut self, work: impl FnOnce() -> T + Send + 'static) -> AbortHandle
    where
        T: Send + 'static;
}

impl<T> JoinSetExt<T> for JoinSet<T> {
    #[track_caller]
    fn spawn_current(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.spawn(current().detach(future))
    }

    #[track_caller]
    fn spawn_local_current(&mut self, future: impl Future<Output = T> + 'static) -> AbortHandle
    where
        T: 'static,
    {
        self.spawn_local(current().detach(future))
    }

    #[track_caller]
    fn spawn_blocking_current(&mut self, work: impl FnOnce() -> T + Send + 'static) -> AbortHandle
    where
        T: Send + 'static,
    {
        self.spawn_blocking(current().wrap_fn(work))
    }
}

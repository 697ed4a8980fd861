//! Tokio tasks that are part of a transaction.

use std::future::Future;

use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use crate::transaction::current;

/// Spawns a task that is part of the current transaction until that ends.
///
/// The rest of its work then becomes a background transaction of its own, of the kind `task.detached`. That one records
/// its parent, and is named after the function that the future is written in. A panic is reported in the transaction
/// that it happens in. A runtime that is dropped cancels its tasks, and their background transactions count as
/// `cancelled`.
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

/// Spawns a task on the current thread, for futures that are not `Send`. Otherwise it works like [`spawn`].
///
/// # Panics
///
/// Panics outside of a [`LocalSet`](tokio::task::LocalSet) or a single-threaded runtime such as that of actix, as
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

/// Runs blocking work on a thread of tokio's blocking pool, with the transaction current.
///
/// Work after the end of the transaction becomes a background transaction of its own, as with [`spawn`].
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

/// Methods of [`JoinSet`] for tasks that are part of the current transaction.
pub trait JoinSetExt<T> {
    /// Spawns a task that is part of the current transaction until that ends; see [`spawn`].
    #[track_caller]
    fn spawn_current(&mut self, future: impl Future<Output = T> + Send + 'static) -> AbortHandle
    where
        T: Send + 'static;

    /// Spawns a task on the current thread; see [`spawn_local`].
    #[track_caller]
    fn spawn_local_current(&mut self, future: impl Future<Output = T> + 'static) -> AbortHandle
    where
        T: 'static;

    /// Runs blocking work on a thread of the blocking pool, with the transaction current; see [`spawn_blocking`].
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

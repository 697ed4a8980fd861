//! Waits for connections of [`bb8`] pools.
//!
//! Import [`TimedGet`], and get connections with `timed_get` instead of `get`:
//!
//! ```
//! # use bb8::{ManageConnection, Pool, RunError};
//! use opbeat_instrument::bb8::TimedGet;
//!
//! # async fn query<M: ManageConnection>(pool: Pool<M>) -> Result<(), RunError<M::Error>> {
//! let connection = pool.timed_get().await?;
//! # drop(connection);
//! # Ok(())
//! # }
//! ```

use std::future::Future;

use bb8::{ManageConnection, Pool, PooledConnection, RunError};

use crate::pool_wait::Wait;

/// Adds [`timed_get`](Self::timed_get) to pools.
pub trait TimedGet {
    /// The manager of the pool's connections.
    type Manager: ManageConnection;

    /// Gets a connection as [`Pool::get`] does, and records the wait.
    ///
    /// Waits of at least 1 ms become spans of the kind `db.pool.wait`. Failed waits have the extra value `error`, and
    /// so have waits of at least 1 ms whose future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Pool::get`].
    fn timed_get(&self) -> impl Future<Output = Result<PooledConnection<'_, Self::Manager>, ErrorOf<Self>>> + Send;

    /// Gets a connection as [`Pool::get_owned`] does, and records the wait as [`timed_get`](Self::timed_get) does.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Pool::get_owned`].
    fn timed_get_owned(
        &self,
    ) -> impl Future<Output = Result<PooledConnection<'static, Self::Manager>, ErrorOf<Self>>> + Send;
}

/// The error of a pool.
type ErrorOf<P> = RunError<<<P as TimedGet>::Manager as ManageConnection>::Error>;

const SIGNATURE: &str = "bb8 get";

impl<M: ManageConnection> TimedGet for Pool<M> {
    type Manager = M;

    async fn timed_get(&self) -> Result<PooledConnection<'_, M>, RunError<M::Error>> {
        let wait = Wait::start(SIGNATURE);
        let got = self.get().await;
        wait.end(got.as_ref().err().map(error));
        got
    }

    async fn timed_get_owned(&self) -> Result<PooledConnection<'static, M>, RunError<M::Error>> {
        let wait = Wait::start(SIGNATURE);
        let got = self.get_owned().await;
        wait.end(got.as_ref().err().map(error));
        got
    }
}

fn error<E>(error: &RunError<E>) -> &'static str {
    match error {
        RunError::User(_) => "backend",
        RunError::TimedOut => "timeout",
    }
}

//! Waits for connections of [`deadpool`] pools, also of `deadpool-postgres`, `deadpool-redis` and others.
//!
//! Import [`TimedGet`], and get connections with `timed_get` instead of `get`:
//!
//! ```
//! # use deadpool::managed::{Manager, Metrics, Object, Pool, PoolError, RecycleResult};
//! # struct Connections;
//! # impl Manager for Connections {
//! #     type Type = (); type Error = std::io::Error;
//! #     async fn create(&self) -> Result<(), std::io::Error> { Ok(()) }
//! #     async fn recycle(&self, _: &mut (), _: &Metrics) -> RecycleResult<std::io::Error> { Ok(()) }
//! # }
//! use opbeat_instrument::deadpool::TimedGet;
//!
//! # async fn connect(pool: Pool<Connections>) -> Result<Object<Connections>, PoolError<std::io::Error>> {
//! let connection = pool.timed_get().await?;
//! # Ok(connection)
//! # }
//! ```

use std::future::Future;

use deadpool::managed::{Manager, Object, Pool, PoolError, TimeoutType};

use crate::pool_wait::Wait;

/// Adds [`timed_get`](Self::timed_get) to pools.
pub trait TimedGet {
    /// The connection as it is lent.
    type Connection;

    /// The pool's error.
    type Error;

    /// Gets a connection as [`Pool::get`] does, and records the wait.
    ///
    /// Waits of at least 1 ms become spans of the kind `db.pool.wait`. Failed waits have the extra value `error`, and
    /// so have waits of at least 1 ms whose future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the error of [`Pool::get`].
    fn timed_get(&self) -> impl Future<Output = Result<Self::Connection, Self::Error>> + Send;
}

impl<M, W> TimedGet for Pool<M, W>
where
    M: Manager,
    W: From<Object<M>> + Send,
{
    type Connection = W;
    type Error = PoolError<M::Error>;

    async fn timed_get(&self) -> Result<W, PoolError<M::Error>> {
        let wait = Wait::start("deadpool get");
        let got = self.get().await;
        wait.end(got.as_ref().err().map(error));
        got
    }
}

fn error<E>(error: &PoolError<E>) -> &'static str {
    match error {
        PoolError::Timeout(TimeoutType::Wait) => "timeout",
        PoolError::Timeout(TimeoutType::Create) => "create timeout",
        PoolError::Timeout(TimeoutType::Recycle) => "recycle timeout",
        PoolError::Backend(_) => "backend",
        PoolError::Closed => "closed",
        PoolError::NoRuntimeSpecified => "no runtime",
        PoolError::PostCreateHook(_) => "post_create hook",
    }
}

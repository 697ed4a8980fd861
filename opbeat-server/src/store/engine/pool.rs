//! Connections that wait for work, on threads that may block.

use std::time::Duration;

use deadpool::managed::{self, Metrics, PoolError, RecycleError, RecycleResult, Timeouts};
use deadpool::{Runtime, managed::QueueMode};

use super::address::{Purpose, SqliteFile, StoreAddress};
use super::connection::Connection;
use super::error::Error;
use super::postgres::{Postgres, check_url};
use super::sqlite::Sqlite;
use super::threads::Threads;

/// The longest wait for a free connection, and for a new one.
const MAX_WAIT: Duration = Duration::from_secs(10);

impl StoreAddress {
    /// Checks the address, without a connection.
    ///
    /// # Errors
    ///
    /// Returns an error with the remedy if it can never be connected to.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(url) => check_url(url),
        }
    }
}

/// The way in which a pool opens a connection.
#[derive(Debug)]
pub(crate) struct Opening {
    /// The database.
    pub(crate) address: StoreAddress,
    /// The connection's use.
    pub(crate) purpose: Purpose,
    /// The longest time of a statement.
    pub(crate) time_limit: Option<Duration>,
    /// Called with each new connection.
    pub(crate) prepare: fn(&mut Connection) -> Result<(), Error>,
}

/// The manager of a pool's connections.
#[derive(Debug)]
struct Manager {
    opening: Opening,
    threads: Threads,
}

impl managed::Manager for Manager {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let Opening { address, purpose, time_limit, prepare } = &self.opening;
        let (purpose, prepare) = (*purpose, *prepare);
        let opened = match address {
            StoreAddress::Sqlite(file) => Opened::File(file.clone()),
            StoreAddress::Postgres(url) => Opened::Server(Postgres::connect(url, purpose, *time_limit).await?),
        };
        let open = move || {
            let mut connection = match opened {
                Opened::File(file) => Connection::from(Sqlite::open(&file, purpose)?),
                Opened::Server(server) => Connection::from(server),
            };
            prepare(&mut connection)?;
            Ok(connection)
        };
        self.threads.run(open).await?
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<Error> {
        connection.check().map_err(RecycleError::Backend)
    }
}

/// A database on the way to a connection.
enum Opened {
    File(SqliteFile),
    Server(Postgres),
}

/// A pool of connections; clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    connections: managed::Pool<Manager>,
    threads: Threads,
    time_limit: Option<Duration>,
}

impl Pool {
    /// Makes a pool of up to `size` connections, which are opened when they are needed.
    pub(crate) fn new(opening: Opening, size: usize) -> Self {
        let time_limit = opening.time_limit;
        let timeouts = Timeouts { wait: Some(MAX_WAIT), create: Some(MAX_WAIT), recycle: None };
        let threads = if opening.purpose == Purpose::Write { Threads::own() } else { Threads::Shared };
        let manager = Manager { opening, threads: threads.clone() };
        let builder = managed::Pool::builder(manager).max_size(size).timeouts(timeouts);
        // The connection that was used last has the warmest caches.
        let builder = builder.runtime(Runtime::Tokio1).queue_mode(QueueMode::Lifo);
        let connections = builder.build().expect("a runtime is given for the time limits");
        Self { connections, threads, time_limit }
    }

    /// Calls a function with a connection, on a thread that may block.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let mut connection = self.connections.get().await.map_err(unavailable)?;
        let time_limit = self.time_limit;
        let work = move || {
            connection.limit_time(time_limit)?;
            work(&mut connection)
        };
        self.threads.run(work).await?
    }

    /// Closes all connections after their running statements.
    pub(crate) async fn close(&self) {
        // The statements of this process that write are finished when the only connection is free.
        let last = self.connections.get().await;
        self.connections.close();
        drop(last);
    }
}

fn unavailable(error: PoolError<Error>) -> Error {
    match error {
        PoolError::Backend(error) => error,
        PoolError::Closed => Error::outage("the database is closed"),
        PoolError::Timeout(_) => Error::outage("no connection to the database was free for 10 s"),
        other => Error::outage(other.to_string()),
    }
}

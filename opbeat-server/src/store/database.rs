//! The database, and the connections to it.

#[cfg(test)]
use std::path::Path;
use std::time::Duration;

use super::engine::{self, Connection, Opening, Pool, Purpose, StoreAddress, query};
use super::error::{Cause, StoreError};
use super::migrations;

/// The number of connections that read.
const READERS: usize = 4;

/// A handle on the database; clones share its connections.
///
/// While the database is away, each call returns an error with the cause [`Cause::Outage`], and connections are opened
/// again when it is back.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) writer: Pool,
    pub(super) readers: Pool,
    /// The connection of the health check, which slow pages do not keep busy.
    probe: Pool,
    address: StoreAddress,
}

/// The condition of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It answers.
    Ok,
    /// Its file was removed, or was missing or empty at the start.
    Missing,
    /// It does not answer.
    Unavailable,
}

impl Store {
    /// The longest time of one query of a reader, unless another one is given.
    pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

    /// Opens the database, creates it if it is missing and may be created, and brings its schema up to date.
    ///
    /// A query of a reader that takes longer than the time limit is interrupted, so that it releases its connection.
    /// A change of the schema can take long, and a file can be locked: this returns after `patience` then, and the work
    /// goes on.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the address is wrong, or the database was written by a newer version. A database that is away, locked or damaged
    /// is no error: data can be accepted without it.
    pub(crate) async fn open(
        address: StoreAddress,
        time_limit: Duration,
        patience: Duration,
    ) -> Result<Self, StoreError> {
        address.check()?;
        let pool = |purpose, time_limit, prepare: fn(&mut Connection) -> _, size| {
            Pool::new(Opening { address: address.clone(), purpose, time_limit, prepare }, size)
        };
        let store = Self {
            writer: pool(Purpose::Write, None, migrations::migrate, 1),
            readers: pool(Purpose::Read, Some(time_limit), |_| Ok(()), READERS),
            probe: pool(Purpose::Read, Some(time_limit), |_| Ok(()), 1),
            address: address.clone(),
        };
        let writer = store.writer.clone();
        let mut opening = tokio::spawn(async move { writer.run(|_| Ok::<_, engine::Error>(())).await });
        match tokio::time::timeout(patience, &mut opening).await {
            Ok(Ok(Err(error))) => {
                let error = StoreError::from(error);
                if error.cause() == Cause::Data {
                    return Err(error);
                }
                let error: &dyn std::error::Error = &error;
                tracing::error!(error, "the database cannot be opened; data is accepted, and stored when it is back");
            }
            Err(_) => tracing::warn!(
                "the database is locked, or its schema is being changed; data is accepted, and stored afterwards"
            ),
            // A panic was logged.
            Ok(Ok(Ok(())) | Err(_)) => {}
        }
        Ok(store)
    }

    /// Opens a file of SQLite, which is created if it is missing.
    #[cfg(test)]
    pub(crate) async fn open_file(path: &Path) -> Self {
        let file = super::engine::SqliteFile { path: path.to_owned(), may_be_created: true, may_be_empty: true };
        Self::open(StoreAddress::Sqlite(file), Self::TIME_LIMIT, Self::TIME_LIMIT).await.unwrap()
    }

    /// Returns the condition of the database. Waits for no page, but possibly for the disk.
    pub(crate) async fn condition(&self) -> Condition {
        // SQLite does not notice that its file was removed, and goes on with a file that nobody can open again.
        if let StoreAddress::Sqlite(file) = &self.address {
            match tokio::fs::metadata(&file.path).await {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Condition::Missing,
                Ok(metadata) if metadata.len() == 0 && !file.may_be_empty => return Condition::Missing,
                _ => {}
            }
        }
        match query("SELECT count(*) FROM queue_cursor").read_one(&self.probe).await {
            Ok(_) => Condition::Ok,
            Err(_) => Condition::Unavailable,
        }
    }

    /// Calls a function in a transaction that writes.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.writer.run(|connection| connection.transaction(work)).await
    }

    /// Closes all connections after their running queries.
    pub(crate) async fn close(&self) {
        self.probe.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

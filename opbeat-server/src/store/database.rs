//! The connections to the database.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::error::StoreError;
use super::migrations::migrator;

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The number of instructions of SQLite's machine between two looks at the clock: some microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// A handle on the database; clones share its connections.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) writer: SqlitePool,
    pub(super) readers: SqlitePool,
    /// The connection of the health check, which slow pages do not keep busy.
    probe: SqlitePool,
    file: PathBuf,
    /// Whether the file was missing when the server started.
    is_absent: bool,
}

/// The condition of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It answers.
    Ok,
    /// Its file was removed while the server uses it.
    Missing,
    /// Its file was missing when the server started.
    Absent,
    /// It does not answer.
    Unavailable,
}

impl Store {
    /// The longest time of one query of a reader, unless another one is given.
    pub(crate) const TIME_LIMIT: Duration = Duration::from_secs(10);

    /// Opens the database file, creates it if it is missing, and brings its schema up to date.
    ///
    /// A query of a reader that takes longer than the time limit is interrupted, so that it releases its connection.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the file cannot be opened or was written by a newer version.
    pub(crate) async fn open(file: &Path, time_limit: Duration) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrator().run(&writer).await?;
        let options = options.create_if_missing(false).read_only(true);
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .after_connect(move |connection, _| Box::pin(limit_time(connection, time_limit)))
            .before_acquire(move |connection, _| {
                Box::pin(async move { limit_time(connection, time_limit).await.map(|()| true) })
            })
            .connect_with(options.clone())
            .await?;
        let probe = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        Ok(Self { writer, readers, probe, file: file.to_owned(), is_absent: false })
    }

    /// Makes a store whose file is missing, and is not created. Each query fails as in an outage.
    pub(crate) async fn absent(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(false);
        let pool = SqlitePoolOptions::new().connect_lazy_with(options);
        pool.close().await;
        Self { writer: pool.clone(), readers: pool.clone(), probe: pool, file: file.to_owned(), is_absent: true }
    }

    /// Returns the condition of the database. Waits for no page, but possibly for the disk.
    pub(crate) async fn condition(&self) -> Condition {
        if self.is_absent {
            return Condition::Absent;
        }
        // SQLite does not notice that its file was removed, and goes on with a file that nobody can open again.
        let is_missing = tokio::fs::try_exists(&self.file).await.is_ok_and(|exists| !exists);
        if is_missing {
            return Condition::Missing;
        }
        match sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&self.probe).await {
            Ok(_) => Condition::Ok,
            Err(_) => Condition::Unavailable,
        }
    }

    /// Closes all connections after their running queries.
    pub(crate) async fn close(&self) {
        self.probe.close().await;
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// Interrupts the connection's queries after a time limit that starts now.
async fn limit_time(connection: &mut SqliteConnection, time_limit: Duration) -> Result<(), sqlx::Error> {
    let started = Instant::now();
    let mut handle = connection.lock_handle().await?;
    handle.set_progress_handler(INSTRUCTIONS, move || started.elapsed() < time_limit);
    Ok(())
}

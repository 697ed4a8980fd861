//! The store: what the server knows, in a SQLite database. The only place with SQL.
//!
//! One connection writes, since SQLite has one writer; several read beside it, which the write-ahead log lets them do
//! without waiting. Each function takes the organization or the app that it is about: there is no query without its
//! tenant.

mod apply;
mod apps;
mod changes;
mod cursor;
mod document;
mod errors;
mod losses;
pub mod read;
mod retention;
mod rollups;
mod samples;
mod span_stacks;

pub use apply::{BodyChanges, ParkedMessage};
pub use apps::{App, NewApp, random_hex};
pub use changes::{Changes, LossKey, NewError, NewSample, NewSpanStack, Rollup, SelfTime, TransactionKey};
pub use document::{SampleDocument, SampleSpan};

use std::path::Path;
use std::time::Duration;

use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

/// Every change of the schema, in order: number, name, statements. A released one is never edited.
const MIGRATIONS: [(i64, &str, &str); 3] = [
    (1, "initial", include_str!("migrations/0001_initial.sql")),
    (2, "losses", include_str!("migrations/0002_losses.sql")),
    (4, "failed samples", include_str!("migrations/0004_failed_samples.sql")),
];

const READERS: u32 = 4;
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// A handle on the database; clones share its connections.
#[derive(Clone, Debug)]
pub struct Store {
    writer: SqlitePool,
    readers: SqlitePool,
}

impl Store {
    /// Opens the database file, makes it if it is missing, and brings its schema up to date.
    ///
    /// # Errors
    ///
    /// Returns [`StoreError`] if the file cannot be opened or was written by a newer version.
    pub async fn open(file: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrator().run(&writer).await?;
        let readers = SqlitePoolOptions::new().max_connections(READERS).connect_with(options.read_only(true)).await?;
        Ok(Self { writer, readers })
    }

    /// Returns whether the database answers.
    pub async fn is_reachable(&self) -> bool {
        sqlx::query("SELECT 1").execute(&self.readers).await.is_ok()
    }

    /// Closes all connections, once their queries are done.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

impl StoreError {
    /// Returns whether the data is at fault, so that another attempt would fail as well.
    #[must_use]
    pub fn is_permanent(&self) -> bool {
        match self {
            Self::Database(sqlx::Error::Database(error)) => {
                error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation()
            }
            Self::Database(error) => {
                matches!(error, sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_))
            }
            Self::Document(_) => true,
            Self::Migration(_) => false,
        }
    }
}

fn migrator() -> Migrator {
    let migration = |(version, name, statements): (i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, statements.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect())
}

/// The database did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A query failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("the database's schema could not be brought up to date")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A stored document could not be read or written.
    #[error("a stored document is damaged")]
    Document(#[from] std::io::Error),
}

//! The address of a database, and the use of a connection to it.

use std::path::PathBuf;

/// The address of a database.
#[derive(Clone, Debug)]
pub(crate) enum StoreAddress {
    /// A file of SQLite.
    Sqlite(SqliteFile),
    /// The URL of a database of PostgreSQL, which can contain a password.
    Postgres(String),
}

impl StoreAddress {
    /// Returns the address of a file that exists. An empty one is a new database.
    pub(crate) fn file(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteFile { path: path.into(), may_be_created: false, may_be_empty: true })
    }

    /// Returns the address of a file that is missing or empty, and that somebody will put back.
    pub(crate) fn missing_file(path: impl Into<PathBuf>) -> Self {
        Self::Sqlite(SqliteFile { path: path.into(), may_be_created: false, may_be_empty: false })
    }
}

/// The file of a database.
#[derive(Clone, Debug)]
pub(crate) struct SqliteFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// Whether it is created if it is missing. Otherwise a missing file is an outage: somebody may put it back.
    pub(crate) may_be_created: bool,
    /// Whether an empty file is a new database. Otherwise it counts as missing.
    pub(crate) may_be_empty: bool,
}

/// The use of the connections of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Writing. SQLite has one writer.
    Write,
    /// Reading.
    Read,
}

//! The store's error.

/// A query, a migration or a stored document that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
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

/// The cause of an error, as far as it decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The database or its disk is not available at the moment: the same attempt can succeed later.
    Outage,
    /// The data: another attempt would fail as well.
    Data,
    /// Not known: another attempt may succeed.
    Unknown,
}

impl StoreError {
    /// Returns whether a query was interrupted because it took too long.
    #[must_use]
    pub(crate) fn is_timeout(&self) -> bool {
        /// `SQLITE_INTERRUPT`.
        const INTERRUPT: &str = "9";
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().is_some_and(|code| code == INTERRUPT),
            _ => false,
        }
    }

    /// Returns the error's cause.
    #[must_use]
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Database(sqlx::Error::Database(error)) => cause_of_code(error.code().as_deref().unwrap_or_default()),
            Self::Database(error) => match error {
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::WorkerCrashed => Cause::Outage,
                sqlx::Error::RowNotFound | sqlx::Error::ColumnDecode { .. } | sqlx::Error::Encode(_) => Cause::Data,
                _ => Cause::Unknown,
            },
            Self::Document(_) => Cause::Data,
            Self::Migration(_) => Cause::Outage,
        }
    }
}

/// Returns the cause of an extended result code of SQLite (<https://www.sqlite.org/rescode.html>).
fn cause_of_code(code: &str) -> Cause {
    // The last eight bits are the primary code.
    match code.parse::<u32>().map(|code| code & 0xff) {
        // TOOBIG, CONSTRAINT, MISMATCH, RANGE
        Ok(18 | 19 | 20 | 25) => Cause::Data,
        // PERM, BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, AUTH, NOTADB
        Ok(3 | 5..=11 | 13..=15 | 22 | 23 | 26) => Cause::Outage,
        _ => Cause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_causes() {
        // A foreign key, a value of the wrong type, a database that is busy with recovery, a full disk, an overflow.
        let causes = ["787", "20", "261", "13", "1", ""].map(cause_of_code);
        let (data, outage, unknown) = (Cause::Data, Cause::Outage, Cause::Unknown);
        assert_eq!(causes, [data, data, outage, outage, unknown, unknown]);
    }
}

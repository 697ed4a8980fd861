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

    /// Returns whether the data causes the error, so that another attempt would fail as well.
    #[must_use]
    pub(crate) fn is_permanent(&self) -> bool {
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

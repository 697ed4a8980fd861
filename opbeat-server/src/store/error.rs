//! The store's error.

use super::engine::{self, Kind};

/// A query or a stored document that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// A query failed.
    #[error("the database failed")]
    Database(#[from] engine::Error),
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
        matches!(self, Self::Database(error) if error.kind() == Kind::Timeout)
    }

    /// Returns the error's cause.
    #[must_use]
    pub(crate) fn cause(&self) -> Cause {
        match self {
            Self::Database(error) => match error.kind() {
                Kind::Outage | Kind::Timeout | Kind::Conflict => Cause::Outage,
                Kind::Data => Cause::Data,
                Kind::Unknown => Cause::Unknown,
            },
            Self::Document(_) => Cause::Data,
        }
    }
}

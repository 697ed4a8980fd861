//! Queries whose SQL text is known: texts, and statements that were prepared from them.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tokio_postgres::ToStatement;

/// A query of a [`Client`](super::Client): a text or a prepared statement.
pub trait Query {
    /// The type that tokio-postgres accepts.
    type Statement: ToStatement + fmt::Debug + Sync + ?Sized;

    /// Returns the query as tokio-postgres accepts it.
    fn statement(&self) -> &Self::Statement;

    /// Returns the query's SQL text, if it is known.
    fn sql(&self) -> Option<&str>;
}

/// A prepared statement that remembers its SQL text.
#[derive(Clone)]
pub struct Statement {
    inner: tokio_postgres::Statement,
    sql: Arc<str>,
}

impl Statement {
    pub(super) fn new(inner: tokio_postgres::Statement, sql: &str) -> Self {
        Self { inner, sql: sql.into() }
    }
}

impl Deref for Statement {
    type Target = tokio_postgres::Statement;

    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl Query for Statement {
    type Statement = tokio_postgres::Statement;

    fn statement(&self) -> &Self::Statement {
        &self.inner
    }

    fn sql(&self) -> Option<&str> {
        Some(&self.sql)
    }
}

/// tokio-postgres' own statement, whose text is not known.
impl Query for tokio_postgres::Statement {
    type Statement = Self;

    fn statement(&self) -> &Self {
        self
    }

    fn sql(&self) -> Option<&str> {
        None
    }
}

impl Query for str {
    type Statement = Self;

    fn statement(&self) -> &Self {
        self
    }

    fn sql(&self) -> Option<&str> {
        Some(self)
    }
}

impl Query for String {
    type Statement = Self;

    fn statement(&self) -> &Self {
        self
    }

    fn sql(&self) -> Option<&str> {
        Some(self)
    }
}

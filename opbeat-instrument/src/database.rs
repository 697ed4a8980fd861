//! Kinds and names of the spans of SQL databases.

#[cfg(any(feature = "diesel", feature = "tokio-postgres"))]
use opbeat_core::{Span, instrument::Position, record::Value};

use crate::sql::Statement;

/// A database system, as the kinds of its spans.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) query: &'static str,
    /// The kind of statements that begin and end transactions of the database.
    pub(crate) transaction: &'static str,
    #[cfg(feature = "diesel")]
    pub(crate) connect: &'static str,
}

#[cfg(any(feature = "diesel", feature = "tokio-postgres"))]
pub(crate) static POSTGRESQL: System = System {
    query: "db.postgresql.query",
    transaction: "db.postgresql.transaction",
    #[cfg(feature = "diesel")]
    connect: "db.postgresql.connect",
};

#[cfg(feature = "diesel")]
pub(crate) static MYSQL: System = System {
    query: "db.mysql.query",
    transaction: "db.mysql.transaction",
    #[cfg(feature = "diesel")]
    connect: "db.mysql.connect",
};

#[cfg(any(feature = "diesel", feature = "rusqlite"))]
pub(crate) static SQLITE: System = System {
    query: "db.sqlite.query",
    transaction: "db.sqlite.transaction",
    #[cfg(feature = "diesel")]
    connect: "db.sqlite.connect",
};

/// A system that is not known.
#[cfg(feature = "diesel")]
pub(crate) static SQL: System = System {
    query: "db.sql.query",
    transaction: "db.sql.transaction",
    #[cfg(feature = "diesel")]
    connect: "db.sql.connect",
};

impl System {
    /// Returns the kind of a statement's span.
    pub(crate) fn kind_of(&self, statement: &Statement) -> &'static str {
        if statement.controls_transaction() { self.transaction } else { self.query }
    }

    /// Starts the span of a statement.
    #[cfg(any(feature = "diesel", feature = "tokio-postgres"))]
    pub(crate) fn start(&self, position: &Position, sql: &str) -> Span {
        let statement = Statement::of(sql);
        let span = position.start(statement.signature(), self.kind_of(&statement)).leaf();
        span.set_extra("sql", Value::Text(statement.text()));
        span
    }
}

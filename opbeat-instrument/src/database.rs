//! Kinds and names of the spans of SQL databases.

use opbeat_core::Span;
use opbeat_core::instrument::Position;
use opbeat_core::record::Value;

use crate::sql::Statement;

/// A database system, as the kinds of its spans.
#[derive(Debug)]
pub(crate) struct System {
    pub(crate) query: &'static str,
    /// The kind of statements that begin and end transactions of the database.
    pub(crate) transaction: &'static str,
    pub(crate) connect: &'static str,
}

pub(crate) static POSTGRESQL: System =
    System { query: "db.postgresql.query", transaction: "db.postgresql.transaction", connect: "db.postgresql.connect" };

pub(crate) static MYSQL: System =
    System { query: "db.mysql.query", transaction: "db.mysql.transaction", connect: "db.mysql.connect" };

pub(crate) static SQLITE: System =
    System { query: "db.sqlite.query", transaction: "db.sqlite.transaction", connect: "db.sqlite.connect" };

/// A system that is not known.
pub(crate) static SQL: System =
    System { query: "db.sql.query", transaction: "db.sql.transaction", connect: "db.sql.connect" };

impl System {
    /// Returns the kind of a statement's span.
    pub(crate) fn kind_of(&self, statement: &Statement) -> &'static str {
        if statement.controls_transaction() { self.transaction } else { self.query }
    }

    /// Starts the span of a statement.
    pub(crate) fn start(&self, position: &Position, sql: &str) -> Span {
        let statement = Statement::of(sql);
        let span = position.start(statement.signature(), self.kind_of(&statement)).leaf();
        span.set_extra("sql", Value::Text(statement.text()));
        span
    }
}

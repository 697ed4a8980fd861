//! How a span or an event is shown.

use std::borrow::Cow;

use super::prepared::Prepared;
use super::sqlx;
use super::table::{Kind, Row, Signature};
use super::values::Values;
use crate::sql::Statement;

/// The description of a span, from its row and the values of its fields.
pub(super) struct Described {
    pub(super) kind: Cow<'static, str>,
    pub(super) signature: Cow<'static, str>,
    pub(super) statement: Option<Statement>,
}

/// The facts that the values of fields do not contain.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) name: &'static str,
    pub(super) sqlx_database: Option<&'static str>,
    pub(super) prepared: &'a Prepared,
}

impl Described {
    pub(super) fn of(row: &Row, values: &Values<'_>, facts: Facts<'_>) -> Self {
        let text = values.statement();
        let prepared = || facts.prepared.find((values.connection()?, values.prepared()?));
        let statement = text.map(Statement::of).or_else(prepared);
        let signature = match (&statement, &row.signature) {
            (Some(statement), _) if !statement.signature().is_empty() => statement.signature(),
            (_, Signature::Fixed(signature)) => signature.clone(),
            (_, Signature::Fields(separator)) => {
                values.signature(separator).map_or(Cow::Borrowed(facts.name), Cow::Owned)
            }
            (_, Signature::Name) => Cow::Borrowed(facts.name),
        };
        let controls = controls_transaction(&signature, statement.as_ref());
        let kind = match &row.kind {
            Kind::Fixed(kind) => kind.clone(),
            Kind::Query(system) => Cow::Borrowed(kind_of(values.system().unwrap_or(system), controls)),
            Kind::Sqlx => {
                Cow::Borrowed(kind_of(sqlx::database(text.unwrap_or_default(), facts.sqlx_database), controls))
            }
        };
        Self { kind, signature, statement }
    }
}

/// Returns the kind of a query whose statement is found after its start.
pub(super) fn kind_with(kind: Cow<'static, str>, statement: &Statement) -> Cow<'static, str> {
    let system = kind.strip_prefix("db.").and_then(|kind| kind.strip_suffix(".query"));
    match system {
        Some(system) if statement.controls_transaction() => Cow::Borrowed(kind_of(system, true)),
        _ => kind,
    }
}

fn controls_transaction(signature: &str, statement: Option<&Statement>) -> bool {
    matches!(signature, "BEGIN" | "COMMIT" | "ROLLBACK") || statement.is_some_and(Statement::controls_transaction)
}

/// Returns the kind of a query, or of a statement that controls a transaction.
fn kind_of(system: &str, controls_transaction: bool) -> &'static str {
    let (query, transaction) = match system {
        "postgresql" | "postgres" => ("db.postgresql.query", "db.postgresql.transaction"),
        "mysql" | "mariadb" => ("db.mysql.query", "db.mysql.transaction"),
        "sqlite" => ("db.sqlite.query", "db.sqlite.transaction"),
        "clickhouse" => ("db.clickhouse.query", "db.clickhouse.transaction"),
        "scylla" | "cassandra" => ("db.scylla.query", "db.scylla.transaction"),
        "mssql" | "microsoft.sql_server" => ("db.mssql.query", "db.mssql.transaction"),
        _ => ("db.sql.query", "db.sql.transaction"),
    };
    if controls_transaction { transaction } else { query }
}

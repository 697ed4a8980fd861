//! The rows of databases and caches.

use std::time::Duration;

use super::row::{Action, Meaning, Row};

pub(super) fn rows() -> Vec<Row> {
    let mut rows = sqlx();
    rows.extend(sea_orm());
    rows.extend(mysql_async());
    rows.extend(others());
    rows
}

/// sqlx 0.8 and 0.9, and the wrapper sqlx-tracing.
fn sqlx() -> Vec<Row> {
    /// A pool that has a free connection gives it in microseconds. Shorter waits are not shown.
    const WAIT: Duration = Duration::from_millis(1);
    let span = |target| {
        Row::span(target, "*")
            .query("sql")
            .system_field("db.system.name")
            .statement_field("db.query.text")
            .rows(["db.response.returned_rows", "db.response.affected_rows"])
            .failed_if("otel.status_code", "ERROR")
            .field("db.query.text", Meaning::Present)
            .leaf()
    };
    vec![
        // The statement's field is empty if the summary has the whole statement, which has at most four words then.
        Row::event("sqlx::query")
            .of_sqlx()
            .signature("query")
            .statement_field("db.statement")
            .summary_field("summary")
            .duration_field("elapsed_secs")
            .rows(["rows_returned", "rows_affected"])
            .leaf(),
        Row::event("sqlx::pool::acquire")
            .kind("db.pool.wait")
            .signature("wait for a connection")
            .duration_field("acquired_after_secs")
            .at_least(WAIT)
            .notes_call_site()
            .leaf(),
        // Newer versions open a span around each statement, and keep the event in it.
        span("sqlx*"),
    ]
}

/// sea-orm 2 with its feature `tracing-spans`. Each of its spans contains an event of sqlx.
fn sea_orm() -> Vec<Row> {
    const TARGET: &str = "sea_orm::*";
    let span = |name: &'static str| {
        Row::span(TARGET, name)
            .query("sql")
            .system_field("db.system")
            .statement_field("db.statement")
            .failed_if("otel.status_code", "ERROR")
            // The worker thread of SQLite holds the span for longer than the query takes.
            .ends_with("otel.status_code")
            .leaf()
    };
    let control = |name, signature| span(name).signature(signature);
    vec![
        control("sea_orm.begin", "BEGIN"),
        control("sea_orm.commit", "COMMIT"),
        control("sea_orm.rollback", "ROLLBACK"),
        span("sea_orm.*").signature_field("db.operation"),
    ]
}

/// mysql_async 0.37 with its feature `tracing`.
fn mysql_async() -> Vec<Row> {
    const CONNECTION: &str = "mysql_async.connection.id";
    const PREPARED: &str = "mysql_async.statement.id";
    const SQL: &str = "mysql_async.query.sql";
    let span = |name: &'static str| Row::span("mysql_async::*", name).query("mysql").leaf();
    vec![
        span("mysql_async::query").signature("query").statement_field(SQL),
        span("mysql_async::prepare")
            .kind("db.mysql.prepare")
            .signature("prepare")
            .statement_field(SQL)
            .field(CONNECTION, Meaning::Connection)
            .field(PREPARED, Meaning::Prepared)
            .action(Action::Prepare),
        span("mysql_async::exec")
            .signature("exec")
            .field(CONNECTION, Meaning::Connection)
            .field(PREPARED, Meaning::Prepared),
    ]
}

fn others() -> Vec<Row> {
    let clickhouse = |name: &'static str| {
        Row::span("clickhouse::*", name)
            .query("clickhouse")
            .statement_field("db.query.text")
            .extra("rows", "db.response.returned_rows")
            .extra("error", "error.type")
            .failed_if("otel.status_code", "ERROR")
            .leaf()
    };
    vec![
        // fred 10 with its feature `partial-tracing`, and `Config::tracing` enabled.
        Row::span("fred::*", "fred.command").kind("db.redis.query").signature_field("cmd.name").leaf(),
        clickhouse("clickhouse.query").signature("query"),
        clickhouse("clickhouse.insert")
            .signature_fields(["db.operation.name", "db.collection.name"], " INTO ")
            .extra("rows", "clickhouse.request.sent_rows"),
        Row::span("scylla::*", "Request")
            .query("scylla")
            .signature_field("kind")
            .statement_field("contents")
            .extra("rows", "result_rows")
            .leaf(),
    ]
}

//! Runs a query in a span.

use std::future::Future;

use opbeat_core::Span;
use opbeat_core::instrument::Position;
use opbeat_core::record::Value;
use tokio_postgres::{Error, Row, SimpleQueryMessage};

use crate::database::POSTGRESQL;
use crate::sql::Statement;
use crate::timed::timed;

/// The result of a query, from which its number of rows is read.
pub(super) trait Output {
    /// Returns the number of rows, if it is known.
    fn rows(&self) -> Option<u64>;
}

/// Runs a query in a span.
pub(super) async fn run<T: Output>(
    sql: Option<&str>,
    query: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timed(|position| start(position, sql), query, finish).await
}

/// Runs a statement that begins or ends a transaction in a span.
pub(super) async fn run_statement<T>(
    sql: &'static str,
    statement: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let start = |position: &Position| position.start(sql, POSTGRESQL.transaction).leaf();
    timed(start, statement, |span, result| note_error(span, result.as_ref().err())).await
}

/// Prepares a statement in a span.
pub(super) async fn run_prepare<T>(sql: &str, prepare: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    let start = |position: &Position| {
        let statement = Statement::of(sql);
        let span = position.start(format!("PREPARE {}", statement.signature()), POSTGRESQL.query).leaf();
        span.set_extra("sql", Value::Text(statement.text()));
        span
    };
    timed(start, prepare, |span, result| note_error(span, result.as_ref().err())).await
}

fn start(position: &Position, sql: Option<&str>) -> Span {
    match sql {
        Some(sql) => POSTGRESQL.start(position, sql),
        None => position.start("prepared statement", POSTGRESQL.query).leaf(),
    }
}

fn finish<T: Output>(span: &Span, result: &Result<T, Error>) {
    match result {
        Ok(output) => {
            if let Some(rows) = output.rows() {
                span.set_extra("rows", rows);
            }
        }
        Err(error) => note_error(span, Some(error)),
    }
}

/// Notes an error's code, such as `23505`. Its message may contain values.
fn note_error(span: &Span, error: Option<&Error>) {
    let Some(error) = error else { return };
    match error.code() {
        Some(code) => span.set_extra("error", code.code().to_owned()),
        None if error.is_closed() => span.set_extra("error", "closed"),
        None => span.set_extra("error", "client"),
    }
}

impl Output for () {
    fn rows(&self) -> Option<u64> {
        None
    }
}

/// The number of changed rows.
impl Output for u64 {
    fn rows(&self) -> Option<u64> {
        Some(*self)
    }
}

impl Output for Row {
    fn rows(&self) -> Option<u64> {
        Some(1)
    }
}

impl<T> Output for Option<T> {
    fn rows(&self) -> Option<u64> {
        Some(self.iter().count() as u64)
    }
}

impl<T> Output for Vec<T> {
    fn rows(&self) -> Option<u64> {
        Some(self.len() as u64)
    }
}

/// The messages of a simple query, in which each statement reports its number of rows.
pub(super) struct Messages(pub(super) Vec<SimpleQueryMessage>);

impl Output for Messages {
    fn rows(&self) -> Option<u64> {
        let rows = self.0.iter().filter_map(|message| match message {
            SimpleQueryMessage::CommandComplete(rows) => Some(*rows),
            _ => None,
        });
        Some(rows.sum())
    }
}

/// An output without a number of rows: a prepared statement, a stream, or a value.
pub(super) struct Other<T>(pub(super) T);

impl<T> Output for Other<T> {
    fn rows(&self) -> Option<u64> {
        None
    }
}

//! Statements with their values.

use std::borrow::Cow;

use tokio::sync::mpsc;

use super::connection::Connection;
use super::error::{Error, Kind};
use super::pool::Pool;
use super::row::Row;
use super::value::Value;

/// The number of rows that are handed over at once, and the number of such chunks that wait.
const CHUNK: usize = 256;
const WAITING_CHUNKS: usize = 4;

/// A statement with the values of its parameters.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Query<'q> {
    sql: Cow<'q, str>,
    values: Vec<Value<'q>>,
}

/// Makes a statement. Its parameters are `?`, or `?1`, `?2` and so on.
pub(crate) fn query<'q>(sql: impl Into<Cow<'q, str>>) -> Query<'q> {
    Query::new(sql.into(), Vec::new())
}

impl<'q> Query<'q> {
    pub(super) const fn new(sql: Cow<'q, str>, values: Vec<Value<'q>>) -> Self {
        Self { sql, values }
    }

    /// Adds the value of the next parameter.
    pub(crate) fn bind(mut self, value: impl Into<Value<'q>>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Runs the statement, and returns the number of rows that it changed.
    pub(crate) fn execute(self, connection: &mut Connection) -> Result<u64, Error> {
        connection.execute(&self.sql, &self.values)
    }

    /// Returns all rows of the result.
    pub(crate) fn fetch_all(self, connection: &mut Connection) -> Result<Vec<Row<'static>>, Error> {
        connection.rows(&self.sql, &self.values)
    }

    /// Returns the first row of the result, if there is one.
    pub(crate) fn fetch_optional(self, connection: &mut Connection) -> Result<Option<Row<'static>>, Error> {
        Ok(connection.rows(&self.sql, &self.values)?.into_iter().next())
    }

    /// Returns the first row of the result. Fails if there is none.
    pub(crate) fn fetch_one(self, connection: &mut Connection) -> Result<Row<'static>, Error> {
        self.fetch_optional(connection)?.ok_or_else(no_row)
    }

    /// Calls `each` with one row after the other, until it returns false, so that they are never all in memory.
    pub(crate) fn fetch_each(
        self,
        connection: &mut Connection,
        mut each: impl FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        connection.each(&self.sql, &self.values, &mut each)
    }

    /// Returns all rows of the result, read with a connection of a pool.
    pub(crate) async fn read_all(self, pool: &Pool) -> Result<Vec<Row<'static>>, Error> {
        let query = self.into_owned();
        pool.run(move |connection| query.fetch_all(connection)).await
    }

    /// Returns the first row of the result, read with a connection of a pool.
    pub(crate) async fn read_optional(self, pool: &Pool) -> Result<Option<Row<'static>>, Error> {
        let query = self.into_owned();
        pool.run(move |connection| query.fetch_optional(connection)).await
    }

    /// Returns the first row of the result, read with a connection of a pool. Fails if there is none.
    pub(crate) async fn read_one(self, pool: &Pool) -> Result<Row<'static>, Error> {
        self.read_optional(pool).await?.ok_or_else(no_row)
    }

    /// Calls `each` with one result of `read` after the other, which a connection of a pool reads. They are never all in
    /// memory.
    pub(crate) async fn read_each<T, E>(
        self,
        pool: &Pool,
        read: impl Fn(&Row<'_>) -> Result<T, E> + Send + 'static,
        mut each: impl FnMut(T),
    ) -> Result<(), E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let query = self.into_owned();
        let (sender, mut receiver) = mpsc::channel(WAITING_CHUNKS);
        let reading = pool.run(move |connection| {
            let mut chunk = Vec::with_capacity(CHUNK);
            let mut failure = None;
            query.fetch_each(connection, |row| {
                match read(row) {
                    Ok(value) => chunk.push(value),
                    Err(error) => failure = Some(error),
                }
                let is_sent = chunk.len() < CHUNK || {
                    let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                    // An error means that the caller was cancelled.
                    sender.blocking_send(full).is_ok()
                };
                Ok(is_sent && failure.is_none())
            })?;
            let _ = sender.blocking_send(chunk);
            failure.map_or(Ok(()), Err)
        });
        let receiving = async {
            while let Some(chunk) = receiver.recv().await {
                chunk.into_iter().for_each(&mut each);
            }
        };
        tokio::join!(reading, receiving).0
    }

    /// Runs the statement with a connection of a pool, and returns the number of rows that it changed.
    pub(crate) async fn run(self, pool: &Pool) -> Result<u64, Error> {
        let query = self.into_owned();
        pool.run(move |connection| query.execute(connection)).await
    }

    fn into_owned(self) -> Query<'static> {
        let values = self.values.into_iter().map(Value::into_owned).collect();
        Query { sql: Cow::Owned(self.sql.into_owned()), values }
    }
}

fn no_row() -> Error {
    Error::new(Kind::Data, "a query that must find a row found none")
}

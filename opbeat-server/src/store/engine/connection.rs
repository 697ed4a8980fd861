//! A connection to either engine.

use std::path::Path;
use std::time::Duration;

use super::error::Error;
use super::postgres::Postgres;
use super::row::Row;
use super::sqlite::Sqlite;
use super::value::Value;

/// A connection. Its functions block.
#[derive(Debug)]
pub(crate) struct Connection {
    driver: Driver,
    /// Whether a transaction was begun and not ended. A panic leaves it open.
    is_in_transaction: bool,
}

#[derive(Debug)]
enum Driver {
    Sqlite(Box<Sqlite>),
    Postgres(Box<Postgres>),
}

/// The engine of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file in this process.
    Sqlite,
    /// A server.
    Postgres,
}

impl From<Sqlite> for Connection {
    fn from(sqlite: Sqlite) -> Self {
        Self { driver: Driver::Sqlite(Box::new(sqlite)), is_in_transaction: false }
    }
}

impl From<Postgres> for Connection {
    fn from(postgres: Postgres) -> Self {
        Self { driver: Driver::Postgres(Box::new(postgres)), is_in_transaction: false }
    }
}

impl Connection {
    /// Opens a new database of SQLite in memory.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        Self::file(&super::SqliteFile { path: ":memory:".into(), may_be_created: true, may_be_empty: true })
    }

    /// Opens a file of SQLite.
    #[cfg(test)]
    pub(crate) fn file(file: &super::SqliteFile) -> Self {
        Sqlite::open(file, super::Purpose::Write).unwrap().into()
    }

    /// Returns the engine, for the few statements that only one of them has.
    pub(crate) const fn engine(&self) -> Engine {
        match self.driver {
            Driver::Sqlite(_) => Engine::Sqlite,
            Driver::Postgres(_) => Engine::Postgres,
        }
    }

    /// Returns an error if the connection leads to no database any more, or a panic left a transaction open.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_in_transaction {
            return Err(Error::outage("the connection has an unfinished transaction"));
        }
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.check(),
            Driver::Postgres(postgres) => postgres.check(),
        }
    }

    /// Interrupts statements of SQLite that are not finished after a time from now on.
    pub(super) fn limit_time(&self, time_limit: Option<Duration>) -> Result<(), Error> {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.limit_time(time_limit),
            // The server itself limits the time.
            Driver::Postgres(_) => Ok(()),
        }
    }

    /// Calls a function in a transaction, which is committed if the function succeeds. It has the write lock of SQLite
    /// from its start, so that no other process writes between its reads and its writes.
    pub(crate) fn transaction<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.check()?;
        self.batch(match self.engine() {
            Engine::Sqlite => "BEGIN IMMEDIATE",
            Engine::Postgres => "BEGIN",
        })?;
        self.is_in_transaction = true;
        let result = work(self).and_then(|value| {
            self.is_file_kept()?;
            self.batch("COMMIT")?;
            Ok(value)
        });
        let is_ended = result.is_ok() || self.batch("ROLLBACK").is_ok();
        self.is_in_transaction = !is_ended;
        result
    }

    /// Calls a function in a part of a transaction, whose changes are kept if the function succeeds.
    pub(crate) fn savepoint<T, E: From<Error>>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.batch("SAVEPOINT part")?;
        match work(self) {
            Ok(value) => {
                self.batch("RELEASE SAVEPOINT part")?;
                Ok(value)
            }
            Err(error) => {
                // A failing disk makes SQLite end the whole transaction: nothing of it may go on.
                if let Err(failed) = self.batch("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part") {
                    return Err(Error::outage(format!("the transaction was lost: {failed}")).into());
                }
                Err(error)
            }
        }
    }

    /// Runs statements without parameters.
    pub(crate) fn batch(&self, sql: &str) -> Result<(), Error> {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.batch(sql),
            Driver::Postgres(postgres) => postgres.batch(sql),
        }
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        trace(sql);
        match &mut self.driver {
            Driver::Sqlite(sqlite) => sqlite.execute(sql, values),
            Driver::Postgres(postgres) => postgres.execute(sql, values),
        }
    }

    /// Runs a statement for each list of values, and returns the number of rows that each of them changed.
    pub(crate) fn execute_many(&mut self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Error> {
        trace(sql);
        match &mut self.driver {
            Driver::Sqlite(sqlite) => sqlite.execute_many(sql, rows),
            Driver::Postgres(postgres) => postgres.execute_many(sql, rows),
        }
    }

    /// Runs a query for each list of values, and returns the rows of each.
    pub(crate) fn rows_many(&mut self, sql: &str, lists: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Row<'static>>>, Error> {
        trace(sql);
        match &mut self.driver {
            Driver::Sqlite(sqlite) => sqlite.rows_many(sql, lists),
            Driver::Postgres(postgres) => postgres.rows_many(sql, lists),
        }
    }

    pub(super) fn rows(&mut self, sql: &str, values: &[Value<'_>]) -> Result<Vec<Row<'static>>, Error> {
        let mut rows = Vec::new();
        self.each(sql, values, &mut |row| {
            rows.push(row.clone().into_owned());
            Ok(true)
        })?;
        Ok(rows)
    }

    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        trace(sql);
        match &mut self.driver {
            Driver::Sqlite(sqlite) => sqlite.each(sql, values, each),
            Driver::Postgres(postgres) => postgres.each(sql, values, each),
        }
    }

    /// Copies a database of SQLite into another file while it is used. `progress` gets the copied and all pages.
    pub(crate) fn copy_to(&self, target: &Path, progress: impl FnMut(u64, u64)) -> Result<(), Error> {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.copy_to(target, progress),
            Driver::Postgres(_) => Err(Error::outage("a database of PostgreSQL is copied with pg_dump")),
        }
    }

    fn is_file_kept(&self) -> Result<(), Error> {
        match &self.driver {
            Driver::Sqlite(sqlite) => sqlite.check(),
            Driver::Postgres(_) => Ok(()),
        }
    }
}

/// Logs a statement, without its values.
fn trace(sql: &str) {
    tracing::trace!(sql, "a statement runs");
}

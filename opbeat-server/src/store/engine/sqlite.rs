//! SQLite, in this process.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{ToSqlOutput, Value as SqliteValue, ValueRef};
use rusqlite::{OpenFlags, ToSql, params_from_iter};

use super::address::{Purpose, SqliteFile};
use super::error::Error;
use super::row::{Names, Row};
use super::value::Value;

/// The time for which a statement waits for another process that writes.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// The size to which the write-ahead log is cut after large changes, in bytes.
const MAX_JOURNAL: i64 = 64 << 20;

/// The memory for pages of the connection that writes, in KiB. The rows of a batch, their indexes and the rows that they
/// replace fit into it, so that the batch neither reads pages again nor writes some of them twice.
const CACHE: i64 = 16 << 10;

/// The number of pages in the write-ahead log after which they are moved into the file. A page that several transactions
/// change is moved once.
const CHECKPOINT: i64 = 4_096;

/// The number of prepared statements that a connection keeps.
const STATEMENTS: usize = 256;

/// The number of instructions of SQLite's machine between two looks at the clock: some microseconds.
const INSTRUCTIONS: i32 = 10_000;

/// A connection to a file.
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: rusqlite::Connection,
    /// The names of the columns of statements.
    names: HashMap<Box<str>, Names>,
    path: PathBuf,
    identity: Option<u64>,
}

impl Sqlite {
    /// Opens a file.
    pub(super) fn open(file: &SqliteFile, purpose: Purpose) -> Result<Self, Error> {
        let mut flags = OpenFlags::SQLITE_OPEN_NO_MUTEX;
        flags |= match purpose {
            Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
            Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        };
        if purpose == Purpose::Write && file.may_be_created {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let size = std::fs::metadata(&file.path).ok().map(|metadata| metadata.len());
        if !file.may_be_created && size.is_none() || !file.may_be_empty && size == Some(0) {
            return Err(missing(&file.path));
        }
        let connection = rusqlite::Connection::open_with_flags(&file.path, flags)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        if purpose == Purpose::Write {
            // Of new files: free pages can be returned to the system.
            connection.pragma_update(None, "auto_vacuum", "incremental")?;
            connection.pragma_update(None, "journal_mode", "wal")?;
            connection.pragma_update(None, "journal_size_limit", MAX_JOURNAL)?;
            connection.pragma_update(None, "synchronous", "full")?;
            connection.pragma_update(None, "cache_size", -CACHE)?;
            connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT)?;
            connection.pragma_update(None, "foreign_keys", true)?;
        }
        // PostgreSQL has these functions; in SQLite they are forms of `min` and `max`.
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        connection.create_scalar_function("least", 2, flags, |context| choose(context, |a, b| a <= b))?;
        connection.create_scalar_function("greatest", 2, flags, |context| choose(context, |a, b| a >= b))?;
        let identity = identity(&file.path);
        Ok(Self { connection, names: HashMap::new(), path: file.path.clone(), identity })
    }

    /// Returns an error if the file was removed or replaced since it was opened. SQLite does not notice that, and goes on
    /// with a file that nobody can open again.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.identity.is_some() && identity(&self.path) != self.identity {
            return Err(missing(&self.path));
        }
        Ok(())
    }

    /// Interrupts statements that are not finished after a time from now on.
    pub(super) fn limit_time(&self, time_limit: Option<Duration>) -> Result<(), Error> {
        let Some(time_limit) = time_limit else { return Ok(()) };
        let started = Instant::now();
        Ok(self.connection.progress_handler(INSTRUCTIONS, Some(move || started.elapsed() >= time_limit))?)
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        Ok(self.connection.execute_batch(sql)?)
    }

    pub(super) fn execute(&self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        Ok(statement.execute(params_from_iter(values))? as u64)
    }

    /// Runs a statement for each list of values, and returns the number of rows that each changed.
    pub(super) fn execute_many(&self, sql: &str, lists: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        lists.iter().map(|values| Ok(statement.execute(params_from_iter(values))? as u64)).collect()
    }

    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let names = names_of(&mut self.names, sql, &statement);
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            if !each(&read(row, &names)?)? {
                break;
            }
        }
        Ok(())
    }

    /// Runs a query for each list of values, and returns the rows of each.
    pub(super) fn rows_many(&mut self, sql: &str, lists: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Row<'static>>>, Error> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let names = names_of(&mut self.names, sql, &statement);
        let mut results = Vec::with_capacity(lists.len());
        for values in lists {
            let mut rows = statement.query(params_from_iter(values))?;
            let mut result = Vec::new();
            while let Some(row) = rows.next()? {
                result.push(read(row, &names)?.into_owned());
            }
            results.push(result);
        }
        Ok(results)
    }

    /// Copies the database into another file while it is used, as it is now.
    pub(super) fn copy_to(&self, target: &Path, progress: impl FnMut(u64, u64)) -> Result<(), Error> {
        let mut copy = rusqlite::Connection::open(target)?;
        // The read transaction keeps the state of the database until the copy is complete. Without it, each change by
        // another process would start the copy again. Writers do not wait for readers.
        self.connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        let copied = copy_pages(&self.connection, &mut copy, progress);
        let ended = self.connection.execute_batch("COMMIT");
        copied?;
        ended?;
        // The copy has the mode of the database, in which it would consist of more than one file.
        Ok(copy.pragma_update(None, "journal_mode", "delete")?)
    }
}

/// The number of pages that are copied between two reports of progress.
const PAGES: std::ffi::c_int = 1_024;

fn copy_pages(
    source: &rusqlite::Connection,
    copy: &mut rusqlite::Connection,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), Error> {
    use rusqlite::backup::{Backup, StepResult};
    let backup = Backup::new(source, copy)?;
    loop {
        let step = backup.step(PAGES)?;
        let state = backup.progress();
        let (total, left) = (state.pagecount.max(0).unsigned_abs(), state.remaining.max(0).unsigned_abs());
        progress(total.saturating_sub(left).into(), total.into());
        match step {
            StepResult::More => {}
            StepResult::Done => return Ok(()),
            _ => return Err(Error::outage("another process uses the file of the copy")),
        }
    }
}

fn missing(path: &Path) -> Error {
    Error::outage(format!("the database file {} is missing or was replaced; put it back", path.display()))
}

/// Returns a number that a file keeps until it is replaced, or `None` if there is no file.
#[cfg(unix)]
fn identity(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| std::os::unix::fs::MetadataExt::ino(&metadata))
}

#[cfg(not(unix))]
fn identity(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|_| 0)
}

/// Returns the names of a statement's columns, which are kept with its text.
fn names_of(all: &mut HashMap<Box<str>, Names>, sql: &str, statement: &rusqlite::Statement<'_>) -> Names {
    if let Some(names) = all.get(sql) {
        return Names::clone(names);
    }
    let names: Names = statement.column_names().into_iter().map(Box::from).collect();
    if all.len() >= STATEMENTS {
        all.clear();
    }
    all.insert(sql.into(), Names::clone(&names));
    names
}

fn read<'r>(row: &'r rusqlite::Row<'_>, names: &Names) -> Result<Row<'r>, Error> {
    let values = (0..names.len()).map(|index| value(row.get_ref(index)?)).collect::<Result<_, Error>>()?;
    Ok(Row::new(Names::clone(names), values))
}

fn value(value: ValueRef<'_>) -> Result<Value<'_>, Error> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| Error::column("a text is not UTF-8".to_owned()))?;
            Value::Text(Cow::Borrowed(text))
        }
        ValueRef::Blob(bytes) => Value::Blob(Cow::Borrowed(bytes)),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Real(number) => ValueRef::Real(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Returns the first of two numbers if `is_first` of both is true, else the second one. NULL loses.
fn choose(context: &Context<'_>, is_first: fn(f64, f64) -> bool) -> rusqlite::Result<SqliteValue> {
    let [a, b] = [context.get::<SqliteValue>(0)?, context.get::<SqliteValue>(1)?];
    let is_first = match (&a, &b) {
        (SqliteValue::Null, _) => false,
        (_, SqliteValue::Null) => true,
        (SqliteValue::Integer(x), SqliteValue::Integer(y)) if x == y => true,
        // Integers that differ, but not as floating-point numbers, are further from zero than any count or time.
        (x, y) => is_first(number(x), number(y)),
    };
    Ok(if is_first { a } else { b })
}

fn number(value: &SqliteValue) -> f64 {
    match value {
        SqliteValue::Integer(number) => *number as f64,
        SqliteValue::Real(number) => *number,
        _ => f64::NAN,
    }
}

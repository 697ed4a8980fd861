//! PostgreSQL, over the network.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt};
use tokio::runtime::Handle;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use tokio_postgres::{Client, Config, NoTls, Socket, Statement};

use super::address::Purpose;
use super::encryption::{Encryption, explain};
use super::error::{Error, Kind};
use super::row::{Names, Row};
use super::value::Value;

/// The time in which a server must accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The time after which a silent connection is asked for a sign of life, and the time between such questions.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// The longest time for which a server may not confirm the data that was sent to it.
const MAX_SILENCE: Duration = Duration::from_secs(60);

/// The number of prepared statements that a connection keeps.
const STATEMENTS: usize = 512;

/// The number of statements that are sent before their results are read.
const PIPELINED: usize = 256;

/// The number of rows that are read before they are handed on.
const ROWS: usize = 64;

/// A connection to a server. Its functions block, and are called on threads that may.
#[derive(Debug)]
pub(super) struct Postgres {
    client: Client,
    runtime: Handle,
    /// The prepared statements, by the text before the translation.
    statements: HashMap<Box<str>, Prepared>,
}

#[derive(Clone, Debug)]
struct Prepared {
    statement: Statement,
    names: Names,
}

impl Postgres {
    /// Connects to a server. Statements that take longer than the limit are interrupted.
    pub(super) async fn connect(url: &str, purpose: Purpose, time_limit: Option<Duration>) -> Result<Self, Error> {
        let (mut config, encryption) = parse(url)?;
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        if config.get_application_name().is_none() {
            config.application_name("opbeat");
        }
        // A host that disappears without a word is noticed within a minute.
        config.keepalives_idle(KEEPALIVE).keepalives_interval(KEEPALIVE).keepalives_retries(3);
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(MAX_SILENCE);
        }
        let client = match encryption.connector()? {
            Some(tls) => open(&config, tls).await?,
            None => open(&config, NoTls).await?,
        };
        if let Some(time_limit) = time_limit {
            client.batch_execute(&format!("SET statement_timeout = {}", time_limit.as_millis())).await?;
        }
        if purpose == Purpose::Write {
            // A plan for the values of one execution is not worth its time on tables with many partitions. A generic plan
            // leaves out partitions when it begins.
            client.batch_execute("SET plan_cache_mode = force_generic_plan").await?;
        }
        Ok(Self { client, runtime: Handle::current(), statements: HashMap::new() })
    }

    /// Returns an error if the connection is closed.
    pub(super) fn check(&self) -> Result<(), Error> {
        if self.client.is_closed() { Err(Error::outage("the connection to PostgreSQL is closed")) } else { Ok(()) }
    }

    /// Runs statements without parameters.
    pub(super) fn batch(&self, sql: &str) -> Result<(), Error> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    pub(super) fn execute(&mut self, sql: &str, values: &[Value<'_>]) -> Result<u64, Error> {
        let Prepared { statement, .. } = self.prepare(sql)?;
        Ok(self.runtime.block_on(self.client.execute(&statement, &parameters(values)))?)
    }

    /// Runs a statement for each list of values, without waiting for one before the next is sent.
    pub(super) fn execute_many(&mut self, sql: &str, rows: &[Vec<Value<'_>>]) -> Result<Vec<u64>, Error> {
        let Prepared { statement, .. } = self.prepare(sql)?;
        let mut changed = Vec::with_capacity(rows.len());
        for rows in rows.chunks(PIPELINED) {
            let parameters: Vec<_> = rows.iter().map(|values| parameters(values)).collect();
            let executions = parameters.iter().map(|values| self.client.execute(&statement, values));
            changed.extend(self.runtime.block_on(try_join_all(executions))?);
        }
        Ok(changed)
    }

    /// Runs a query for each list of values, and returns the rows of each.
    pub(super) fn rows_many(&mut self, sql: &str, lists: &[Vec<Value<'_>>]) -> Result<Vec<Vec<Row<'static>>>, Error> {
        let Prepared { statement, names } = self.prepare(sql)?;
        let mut results = Vec::with_capacity(lists.len());
        for lists in lists.chunks(PIPELINED) {
            let parameters: Vec<_> = lists.iter().map(|values| parameters(values)).collect();
            let queries = parameters.iter().map(|values| self.client.query(&statement, values));
            for rows in self.runtime.block_on(try_join_all(queries))? {
                results.push(rows.iter().map(|row| owned(row, &names)).collect::<Result<_, _>>()?);
            }
        }
        Ok(results)
    }

    pub(super) fn each(
        &mut self,
        sql: &str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let Prepared { statement, names } = self.prepare(sql)?;
        let mut rows = Box::pin(self.runtime.block_on(self.client.query_raw(&statement, values))?);
        loop {
            let chunk: Vec<_> = self.runtime.block_on(rows.as_mut().take(ROWS).try_collect())?;
            // Outside of the runtime, since the function may block.
            for row in &chunk {
                if !each(&owned(row, &names)?)? {
                    return Ok(());
                }
            }
            if chunk.len() < ROWS {
                return Ok(());
            }
        }
    }

    fn prepare(&mut self, sql: &str) -> Result<Prepared, Error> {
        if let Some(prepared) = self.statements.get(sql) {
            return Ok(prepared.clone());
        }
        let statement = self.runtime.block_on(self.client.prepare(&translate(sql)))?;
        let names = statement.columns().iter().map(|column| column.name().into()).collect();
        let prepared = Prepared { statement, names };
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.into(), prepared.clone());
        Ok(prepared)
    }
}

/// Checks the URL of a server, and reads the file with the authority of its certificate, if it names one.
///
/// # Errors
///
/// Returns an error with the remedy if one of them cannot be used.
pub(super) fn check_url(url: &str) -> Result<(), Error> {
    // A file that is missing at the start is a mistake. One that is missing later comes back.
    parse(url)?.1.connector().map(|_| ()).map_err(|error| Error::new(Kind::Data, error.to_string()))
}

fn parse(url: &str) -> Result<(Config, Encryption), Error> {
    let (url, encryption) = Encryption::of_url(url)?;
    let mut config: Config = url.parse().map_err(invalid_url)?;
    config.ssl_mode(encryption.mode());
    Ok((config, encryption))
}

/// Opens a connection, which runs in a task of its own.
async fn open<T>(config: &Config, tls: T) -> Result<Client, Error>
where
    T: MakeTlsConnect<Socket>,
    T::Stream: Send + 'static,
{
    let (client, connection) = config.connect(tls).await.map_err(explain)?;
    check_encoding(connection.parameter("server_encoding"))?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to PostgreSQL ended");
        }
    });
    Ok(client)
}

/// Returns the error of a URL that cannot be parsed. It does not contain the URL, which can contain a password.
#[expect(clippy::needless_pass_by_value, reason = "it is the argument of `map_err`")]
fn invalid_url(error: tokio_postgres::Error) -> Error {
    let reason = error.source().map_or_else(|| error.to_string(), |source| format!("{error}: {source}"));
    let hint = "a URL has the form postgres://user:password@host:5432/database";
    Error::new(Kind::Data, format!("the URL of PostgreSQL is not valid ({reason}); {hint}"))
}

/// Returns an error unless a database stores all characters.
fn check_encoding(encoding: Option<&str>) -> Result<(), Error> {
    match encoding {
        Some("UTF8") => Ok(()),
        other => {
            let encoding = other.unwrap_or("unknown");
            let message = format!(
                "the encoding of the database is {encoding}; create a database with: CREATE DATABASE opbeat ENCODING \
                 'UTF8' TEMPLATE template0"
            );
            Err(Error::new(Kind::Data, message))
        }
    }
}

/// Translates the parameters of a statement: `?` and `?1` become `$1`.
fn translate(sql: &str) -> String {
    let mut translated = String::with_capacity(sql.len() + 16);
    let (mut last, mut is_quoted) = (0_usize, false);
    let mut characters = sql.chars().peekable();
    while let Some(character) = characters.next() {
        is_quoted ^= character == '\'';
        if character != '?' || is_quoted {
            translated.push(character);
            continue;
        }
        let mut number = 0;
        while let Some(digit) = characters.peek().and_then(|next| next.to_digit(10)) {
            number = number * 10 + digit as usize;
            characters.next();
        }
        let number = if number == 0 { last + 1 } else { number };
        last = last.max(number);
        translated.push('$');
        translated.push_str(&number.to_string());
    }
    translated
}

fn parameters<'v>(values: &'v [Value<'_>]) -> Vec<&'v (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

fn owned(row: &tokio_postgres::Row, names: &Names) -> Result<Row<'static>, Error> {
    let value = |(index, column): (usize, &tokio_postgres::Column)| {
        Ok::<_, Error>(match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Value::Null, Value::Integer),
            Type::INT4 => row.try_get::<_, Option<i32>>(index)?.map_or(Value::Null, |n| Value::Integer(n.into())),
            Type::INT2 => row.try_get::<_, Option<i16>>(index)?.map_or(Value::Null, |n| Value::Integer(n.into())),
            Type::BOOL => row.try_get::<_, Option<bool>>(index)?.map_or(Value::Null, |n| Value::Integer(n.into())),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(index)?.map_or(Value::Null, Value::Real),
            Type::FLOAT4 => row.try_get::<_, Option<f32>>(index)?.map_or(Value::Null, |n| Value::Real(n.into())),
            Type::TEXT | Type::VARCHAR | Type::NAME => {
                row.try_get::<_, Option<String>>(index)?.map_or(Value::Null, |text| Value::Text(Cow::Owned(text)))
            }
            Type::BYTEA => {
                row.try_get::<_, Option<Vec<u8>>>(index)?.map_or(Value::Null, |bytes| Value::Blob(Cow::Owned(bytes)))
            }
            ref other => return Err(Error::column(format!("the column {} has the type {other}", column.name()))),
        })
    };
    let values = row.columns().iter().enumerate().map(value).collect::<Result<_, _>>()?;
    Ok(Row::new(Names::clone(names), values))
}

impl ToSql for Value<'_> {
    fn to_sql(&self, column: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match (self, column) {
            (Self::Null, _) => return Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => out.put_i64(*number),
            (Self::Integer(number), &Type::INT4) => out.put_i32(i32::try_from(*number)?),
            (Self::Integer(number), &Type::INT2) => out.put_i16(i16::try_from(*number)?),
            (Self::Integer(number), &Type::BOOL) => out.put_u8(u8::from(*number != 0)),
            (Self::Integer(number), &Type::FLOAT8) => out.put_f64(*number as f64),
            (Self::Real(number), &Type::FLOAT8) => out.put_f64(*number),
            // A text of PostgreSQL cannot contain the character U+0000.
            (Self::Text(text), &(Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN)) if text.contains('\0') => {
                out.put_slice(text.replace('\0', "\u{fffd}").as_bytes());
            }
            (Self::Text(text), &(Type::TEXT | Type::VARCHAR | Type::NAME | Type::UNKNOWN)) => {
                out.put_slice(text.as_bytes());
            }
            (Self::Blob(bytes), &Type::BYTEA) => out.put_slice(bytes),
            (value, column) => {
                return Err(Box::new(Error::new(Kind::Data, format!("{value:?} is no value of a column of {column}"))));
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_encodings_and_invalid_urls_are_refused() {
        assert!(check_encoding(Some("UTF8")).is_ok());
        let error = check_encoding(Some("SQL_ASCII")).unwrap_err();
        assert!(error.to_string().starts_with("the encoding of the database is SQL_ASCII; create"), "{error}");
        let error = invalid_url("postgres://user:secret@host:port/".parse::<Config>().unwrap_err());
        assert!(error.kind() == Kind::Data && !error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn parameters_are_translated() {
        assert_eq!(translate("a = ? AND b = ? AND c = '?'"), "a = $1 AND b = $2 AND c = '?'");
        assert_eq!(translate("(?1, ?2, ?1) LIMIT ?"), "($1, $2, $1) LIMIT $3");
        assert_eq!(translate("VALUES (?10, ?11)"), "VALUES ($10, $11)");
    }
}

//! The hook that diesel calls at the start and the end of its work.

use std::fmt;
use std::time::Instant;

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};
use diesel::result::{ConnectionError, Error};
use opbeat_core::instrument::{FinishedSpan, Position};

use super::{error, query_text};
use crate::database::{MYSQL, POSTGRESQL, SQL, SQLITE, System};
use crate::open_spans::OpenSpans;

/// The largest number of queries of a connection that run at the same time. Only diesel-async's pipelines have more
/// than one.
const MAX_OPEN: usize = 256;

/// The queries of a new connection that may reveal its database system.
const SET_UP_QUERIES: u8 = 4;

/// The instrumentation of one connection, for
/// [`Connection::set_instrumentation`](diesel::Connection::set_instrumentation).
///
/// [`install`](super::install) gives one to each new connection.
///
/// # Examples
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use diesel::{Connection, SqliteConnection};
/// use opbeat_instrument::diesel::Hook;
///
/// let mut connection = SqliteConnection::establish(":memory:")?;
/// connection.set_instrumentation(Hook::sqlite());
/// # Ok(())
/// # }
/// ```
pub struct Hook {
    system: Option<&'static System>,
    /// The number of queries that have been searched for the system.
    searched: u8,
    /// The start of connecting, in a transaction.
    connecting: Option<(Position, Instant)>,
    queries: OpenSpans<String>,
}

impl Hook {
    /// Makes a hook for a connection to PostgreSQL.
    #[must_use]
    pub fn postgresql() -> Self {
        Self::of(Some(&POSTGRESQL))
    }

    /// Makes a hook for a connection to MySQL or MariaDB.
    #[must_use]
    pub fn mysql() -> Self {
        Self::of(Some(&MYSQL))
    }

    /// Makes a hook for a connection to SQLite.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::of(Some(&SQLITE))
    }

    const fn of(system: Option<&'static System>) -> Self {
        Self { system, searched: 0, connecting: None, queries: OpenSpans::new(MAX_OPEN) }
    }
}

/// Makes a hook that finds the system from the URL of the connection, or from the queries that set it up.
impl Default for Hook {
    fn default() -> Self {
        Self::of(None)
    }
}

impl Instrumentation for Hook {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.start_connecting(url),
            InstrumentationEvent::FinishEstablishConnection { error, .. } => self.finish_connecting(error),
            InstrumentationEvent::StartQuery { query, .. } => self.start_query(query),
            InstrumentationEvent::FinishQuery { query, error, .. } => self.finish_query(query, error),
            // diesel reports the statements that begin and end transactions as queries too.
            _ => {}
        }
    }
}

/// Connections.
impl Hook {
    fn start_connecting(&mut self, url: &str) {
        self.system.get_or_insert_with(|| system_of_url(url));
        self.connecting = Position::current().map(|position| (position, Instant::now()));
    }

    fn finish_connecting(&mut self, error: Option<&ConnectionError>) {
        let Some((position, since)) = self.connecting.take() else { return };
        let span = FinishedSpan::new("connect", self.system().connect, since.elapsed()).leaf();
        position.record(match error {
            Some(error) => span.extra("error", error::of_connection(error)),
            None => span,
        });
    }

    fn system(&self) -> &'static System {
        self.system.unwrap_or(&SQL)
    }

    /// Finds the system from the queries that set up a connection, because connections that were made from a client of
    /// tokio-postgres have no URL.
    fn find_system(&mut self, query: &dyn DebugQuery) {
        if self.system.is_none() && self.searched < SET_UP_QUERIES {
            self.searched += 1;
            self.system = system_of_set_up(&query_text::of(query));
        }
    }
}

/// Queries.
impl Hook {
    fn start_query(&mut self, query: &dyn DebugQuery) {
        self.find_system(query);
        // The queries that set up a connection are part of connecting.
        if self.connecting.is_some() {
            return;
        }
        if let Some(position) = Position::current() {
            let text = query_text::of(query);
            let span = self.system().start(&position, &text);
            self.queries.insert(text, position, span);
        }
    }

    fn finish_query(&mut self, query: &dyn DebugQuery, error: Option<&Error>) {
        if self.queries.is_empty() {
            return;
        }
        let span = self.queries.take(&query_text::of(query));
        if let (Some(span), Some(error)) = (span, error) {
            span.set_extra("error", error::of_query(error).into_owned());
        }
    }
}

/// diesel-async reports no end of connecting if it fails.
impl Drop for Hook {
    fn drop(&mut self) {
        let failed = ConnectionError::BadConnection(String::new());
        self.finish_connecting(Some(&failed));
    }
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("system", &self.system).finish_non_exhaustive()
    }
}

fn system_of_url(url: &str) -> &'static System {
    let (scheme, _) = url.split_once("://").unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => &POSTGRESQL,
        "mysql" => &MYSQL,
        // PostgreSQL also accepts `host=localhost dbname=shop`. SQLite's URLs are file names.
        _ if url.contains("host=") || url.contains("dbname=") => &POSTGRESQL,
        _ => &SQLITE,
    }
}

/// Returns the system for which diesel or diesel-async sets up a connection with this query.
fn system_of_set_up(query: &str) -> Option<&'static System> {
    match query.trim_end_matches(';') {
        "SET TIME ZONE 'UTC'" | "SET CLIENT_ENCODING TO 'UTF8'" => Some(&POSTGRESQL),
        "SET time_zone = '+00:00'" | "SET character_set_client = 'utf8mb4'" => Some(&MYSQL),
        _ => None,
    }
}

//! The error of an engine.

/// A statement or a connection that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Error {
    kind: Kind,
    message: String,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kind of an error, as far as it decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The database or its disk is not available at the moment: the same attempt can succeed later.
    Outage,
    /// The data: another attempt would fail as well.
    Data,
    /// The query took too long, and was interrupted.
    Timeout,
    /// Two writers were in each other's way: the whole transaction can be tried again at once.
    Conflict,
    /// Not known: another attempt may succeed.
    Unknown,
}

impl Error {
    /// Makes an error of a kind.
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Makes the error that a column cannot be read.
    pub(super) fn column(message: String) -> Self {
        Self::new(Kind::Data, message)
    }

    /// Makes the error that the database cannot be reached.
    pub(super) fn outage(message: impl Into<String>) -> Self {
        Self::new(Kind::Outage, message)
    }

    /// Returns the error's kind.
    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        let kind = match &error {
            rusqlite::Error::SqliteFailure(failure, _) => kind_of_sqlite(failure.extended_code),
            rusqlite::Error::ToSqlConversionFailure(_) | rusqlite::Error::QueryReturnedNoRows => Kind::Data,
            _ => Kind::Unknown,
        };
        Self { kind, message: error.to_string(), source: Some(error.into()) }
    }
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        let kind = match error.code() {
            Some(code) => kind_of_postgres(code.code()),
            // Without a code, the connection failed, or a value could not be encoded.
            None if error.is_closed() || is_of_connection(&error) => Kind::Outage,
            None => Kind::Data,
        };
        let message = error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string);
        Self { kind, message, source: Some(error.into()) }
    }
}

impl Error {
    /// Replaces the message.
    pub(super) fn with_message(self, message: String) -> Self {
        Self { message, ..self }
    }
}

fn is_of_connection(error: &tokio_postgres::Error) -> bool {
    use std::error::Error as _;
    let text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        if error.is::<std::io::Error>() {
            return true;
        }
        source = error.source();
    }
    // The handshake of TLS may succeed after a change of the server.
    text.contains("connect") || text.contains("communicating") || text.contains("TLS handshake")
}

/// Returns the kind of an extended result code of SQLite (<https://www.sqlite.org/rescode.html>).
const fn kind_of_sqlite(code: i32) -> Kind {
    // The last eight bits are the primary code.
    match code & 0xff {
        9 => Kind::Timeout,
        // TOOBIG, CONSTRAINT, MISMATCH, RANGE
        18 | 19 | 20 | 25 => Kind::Data,
        // PERM, BUSY, LOCKED, NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, AUTH, NOTADB
        3 | 5..=8 | 10 | 11 | 13..=15 | 22 | 23 | 26 => Kind::Outage,
        _ => Kind::Unknown,
    }
}

/// Returns the kind of an SQLSTATE (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
fn kind_of_postgres(code: &str) -> Kind {
    match code {
        "57014" => Kind::Timeout,
        // A serialization failure, and a deadlock.
        "40001" | "40P01" => Kind::Conflict,
        // A statement after a failed one in the same transaction.
        "25P02" => Kind::Unknown,
        // A table is missing, as it is until the schema is there.
        "42P01" => Kind::Outage,
        _ => match code.get(..2) {
            // A row that is changed twice, invalid data, violated constraints, limits of the program.
            Some("21" | "22" | "23" | "54") => Kind::Data,
            // Connections, authentication, read-only, resources, intervention, locks, the system.
            Some("08" | "28" | "25" | "3D" | "53" | "55" | "57" | "58" | "F0" | "XX") => Kind::Outage,
            _ => Kind::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_sqlite_have_kinds() {
        // A foreign key, a value of the wrong type, a database that is busy with recovery, a full disk, an interrupt,
        // an overflow.
        let kinds = [787, 20, 261, 13, 9, 1].map(kind_of_sqlite);
        assert_eq!(kinds, [Kind::Data, Kind::Data, Kind::Outage, Kind::Outage, Kind::Timeout, Kind::Unknown]);
    }

    #[test]
    fn codes_of_postgresql_have_kinds() {
        // A foreign key, an invalid byte sequence, a shutdown, too many connections, a deadlock, a syntax error.
        let kinds = ["23503", "22021", "57P01", "53300", "40P01", "42601"].map(kind_of_postgres);
        let expected = [Kind::Data, Kind::Data, Kind::Outage, Kind::Outage, Kind::Conflict, Kind::Unknown];
        assert_eq!(kinds, expected);
    }
}

//! The database of an event of sqlx, which does not name it.

use std::cell::OnceCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;

thread_local! {
    /// Whether this is a worker thread of SQLite.
    static IS_SQLITE: OnceCell<bool> = const { OnceCell::new() };
}

/// The databases whose placeholders were seen.
static SEEN: AtomicU8 = AtomicU8::new(0);

const POSTGRESQL: u8 = 1;
const MYSQL: u8 = 2;

/// Returns the database of a statement; `sql` if it is unknown.
///
/// SQLite has a thread of its own for each connection, with a name that sqlx sets. PostgreSQL has placeholders such as
/// `$1`, and MySQL has `?`. A statement without placeholders belongs to the one of them that was seen, if only one was.
pub(super) fn database(statement: &str, chosen: Option<&'static str>) -> &'static str {
    if is_worker() {
        return "sqlite";
    }
    if let Some(chosen) = chosen {
        return chosen;
    }
    let own = placeholders(statement);
    let seen = if own == 0 { SEEN.load(Ordering::Relaxed) } else { SEEN.fetch_or(own, Ordering::Relaxed) };
    match if own == 0 { seen } else { own } {
        POSTGRESQL => "postgresql",
        MYSQL => "mysql",
        _ => "sql",
    }
}

/// Returns whether this is a worker thread of SQLite.
pub(super) fn is_worker() -> bool {
    let is_worker = || thread::current().name().is_some_and(|name| name.starts_with("sqlx-sqlite-worker"));
    IS_SQLITE.try_with(|known| *known.get_or_init(is_worker)).unwrap_or(false)
}

fn placeholders(statement: &str) -> u8 {
    let bytes = statement.as_bytes();
    let is_numbered = |pair: &[u8]| pair[0] == b'$' && pair[1].is_ascii_digit();
    if bytes.windows(2).any(is_numbered) {
        POSTGRESQL
    } else if bytes.contains(&b'`') || bytes.contains(&b'?') {
        MYSQL
    } else {
        0
    }
}

//! All rows, and the row of a callsite.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use tracing::Metadata;

use super::row::Row;
use super::{clients, databases};

/// All rows of a bridge.
#[derive(Debug)]
pub(in crate::tracing) struct Table {
    /// The number of the table in the process, for the threads' caches.
    number: usize,
    rows: Vec<Row>,
}

/// The entry of the table for a callsite.
#[derive(Clone, Copy, Debug)]
pub(in crate::tracing) enum Entry<'a> {
    Row(&'a Row),
    /// A callsite by which a library asks whether a level is enabled, before it makes its span or event.
    Question,
}

/// The targets in which the answer to a question decides whether a row's fields are set.
const ASKING: &[&str] = &["mysql_async::", "sqlx::"];

/// The number of slots in each thread's cache, a power of two.
const SLOTS: usize = 64;

#[derive(Clone, Copy)]
struct Cached {
    callsite: usize,
    table: usize,
    entry: u16,
}

const NONE: u16 = u16::MAX;
const QUESTION: u16 = u16::MAX - 1;

thread_local! {
    /// The entries of the callsites that this thread used last.
    static RECENT: [Cell<Cached>; SLOTS] =
        const { [const { Cell::new(Cached { callsite: 0, table: 0, entry: NONE }) }; SLOTS] };
}

impl Table {
    /// Makes a table of the application's rows, which come first, and the built-in ones.
    pub(in crate::tracing) fn new(mut rows: Vec<Row>) -> Self {
        static TABLES: AtomicUsize = AtomicUsize::new(1);
        rows.extend(databases::rows());
        rows.extend(clients::rows());
        rows.truncate(usize::from(QUESTION));
        Self { number: TABLES.fetch_add(1, Ordering::Relaxed), rows }
    }

    /// Returns the entry of a callsite; `None` if the bridge does not show it.
    #[inline]
    pub(in crate::tracing) fn find(&self, metadata: &'static Metadata<'static>) -> Option<Entry<'_>> {
        let callsite = std::ptr::from_ref(metadata).addr();
        // Metadata is aligned, so the lowest bits are equal.
        let slot = (callsite >> 4) % SLOTS;
        let known = RECENT.try_with(|recent| {
            let cached = recent[slot].get();
            if cached.callsite == callsite && cached.table == self.number {
                return cached.entry;
            }
            let entry = self.search(metadata);
            recent[slot].set(Cached { callsite, table: self.number, entry });
            entry
        });
        match known.unwrap_or(NONE) {
            NONE => None,
            QUESTION => Some(Entry::Question),
            row => self.rows.get(usize::from(row)).map(Entry::Row),
        }
    }

    fn search(&self, metadata: &Metadata<'_>) -> u16 {
        // The macros `enabled!` and `span_enabled!` name their callsites so. Their kind cannot be read.
        if metadata.name().starts_with("enabled ") {
            return if ASKING.iter().any(|start| metadata.target().starts_with(start)) { QUESTION } else { NONE };
        }
        let row = self.rows.iter().position(|row| row.matches(metadata));
        row.and_then(|row| u16::try_from(row).ok()).unwrap_or(NONE)
    }

    /// Returns whether the bridge shows a callsite, without the cache: the metadata of records of `log` does not live long.
    pub(in crate::tracing) fn shows(&self, metadata: &Metadata<'_>) -> bool {
        self.search(metadata) != NONE
    }
}

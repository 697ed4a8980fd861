//! The text of a query, without the values that diesel shows behind it.

use std::fmt::{self, Write};

use diesel::connection::DebugQuery;

/// diesel shows a query's values behind this mark.
const BINDS: &str = " -- binds: ";

/// Longer texts are cut, in bytes.
const MAX_LEN: usize = 16 * 1024;

/// Returns the text of a query with placeholders.
///
/// Formatting stops before the values, so that large ones are never formatted.
pub(super) fn of(query: &dyn DebugQuery) -> String {
    let mut text = UntilBinds(String::new());
    // The error means that the text is complete, or that diesel cannot build the query.
    let _ = write!(text, "{query}");
    text.0
}

struct UntilBinds(String);

impl Write for UntilBinds {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let Self(text) = self;
        // The mark may have begun in an earlier part.
        let from = text.floor_char_boundary(text.len().saturating_sub(BINDS.len()));
        let room = MAX_LEN - text.len();
        text.push_str(&part[..part.floor_char_boundary(room)]);
        if let Some(at) = text[from..].find(BINDS) {
            text.truncate(from + at);
            return Err(fmt::Error);
        }
        if part.len() > room { Err(fmt::Error) } else { Ok(()) }
    }
}

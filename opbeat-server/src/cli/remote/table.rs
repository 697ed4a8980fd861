//! Tables on the terminal.

use std::error::Error;
use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use jiff::Timestamp;
use serde_json::Value;

use crate::dashboard::format;
use crate::text::shortened;

/// The longest text of a cell on a terminal, in characters.
const MAX_CELL: usize = 80;

/// A column: its heading, and the text of a row.
pub(super) type Column = (&'static str, fn(&Value) -> String);

/// Prints rows as a table, with a note if there are none or if there are more.
///
/// # Errors
///
/// Returns an error if the standard output cannot be written.
pub(super) fn print(rows: &[Value], columns: &[Column], total: u64, nothing: &str) -> Result<(), Box<dyn Error>> {
    if rows.is_empty() {
        return line(nothing);
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(columns.iter().map(|(heading, _)| *heading));
    let is_terminal = std::io::stdout().is_terminal();
    let cell = |text: String| if is_terminal { shortened(&plain(&text), MAX_CELL) } else { plain(&text) };
    for row in rows {
        table.add_row(columns.iter().map(|(_, text)| cell(text(row))));
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        // Numbers end at the same place; only the last column is text of any length.
        if columns.get(index).is_some_and(|(heading, _)| is_number(heading)) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    line(&table.trim_fmt())?;
    let rest = total.saturating_sub(rows.len() as u64);
    if rest > 0 { line(&format!("and {} more; `--limit` shows up to 200", format::count(rest))) } else { Ok(()) }
}

/// Headings in lower case are those of numbers.
fn is_number(heading: &str) -> bool {
    heading.starts_with(|letter: char| letter.is_ascii_lowercase())
}

/// Prints JSON.
///
/// # Errors
///
/// Returns an error if the standard output cannot be written.
pub(super) fn json(value: &Value) -> Result<(), Box<dyn Error>> {
    line(&escaped(&serde_json::to_string_pretty(value)?))
}

/// Returns JSON in which no character controls a terminal. JSON itself escapes those below U+0020 only; the others are in
/// its strings.
fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for letter in json.chars() {
        if letter.is_control() && letter != '\n' {
            // A string takes all text.
            let _ = write!(escaped, "\\u{:04x}", u32::from(letter));
        } else {
            escaped.push(letter);
        }
    }
    escaped
}

/// Prints a line. The reader of a pipe may close it before the end, as `head` does.
///
/// # Errors
///
/// Returns an error if the standard output cannot be written.
pub(super) fn line(text: &str) -> Result<(), Box<dyn Error>> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Returns a text without characters that control a terminal: texts come from applications and their visitors.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// Returns the text of a field, or nothing.
pub(super) fn text(row: &Value, field: &str) -> String {
    match &row[field] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Returns a duration.
pub(super) fn duration(row: &Value, field: &str) -> String {
    row[field].as_f64().map_or_else(String::new, format::duration)
}

/// Returns the time that passed since the time of a field.
pub(super) fn ago(row: &Value, field: &str) -> String {
    let then = row[field].as_str().and_then(|time| time.parse::<Timestamp>().ok());
    then.map_or_else(String::new, |then| format::ago(then, Timestamp::now()))
}

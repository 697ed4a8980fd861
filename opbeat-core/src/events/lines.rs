//! Log lines that are kept with the current transaction, for its error reports.

use std::cell::Cell;
use std::fmt::{self, Write};
use std::sync::Arc;

use crate::caught::caught_quietly;
use crate::record::Level;
use crate::transaction::{Active, Context};

/// The number of bytes to which a line is cut. The worker cuts it to 500 bytes after it has removed secrets: the end of
/// a secret that is cut here is not recognised.
const MAX_LINE: usize = 1_000;

/// The number of bytes to which a target is cut.
const MAX_TARGET: usize = 100;

thread_local! {
    /// The memory of the last line, for the next one.
    static SCRATCH: Cell<String> = const { Cell::new(String::new()) };
}

/// Keeps a line if the code runs in a transaction whose agent keeps lines of this level.
#[inline]
pub(super) fn keep(level: Level, target: &str, format: impl FnOnce(&mut Line)) {
    if let Some(active) = Context::with(|context| transaction(context, level)).flatten() {
        keep_in(&active, level, target, format);
    }
}

#[inline]
fn transaction(context: &mut Context, level: Level) -> Option<Arc<Active>> {
    context.transaction.as_ref().filter(|active| active.recorder.keeps_log_lines(level)).map(Arc::clone)
}

/// Formats the line before the transaction is locked, because the application's formatters may use the transaction.
fn keep_in(active: &Active, level: Level, target: &str, format: impl FnOnce(&mut Line)) {
    let mut line = Line { text: SCRATCH.try_with(Cell::take).unwrap_or_default() };
    line.text.clear();
    caught_quietly(|| format(&mut line));
    active.keep_log_line(level, &target[..target.floor_char_boundary(MAX_TARGET)], &line.text);
    // A thread that is ending has no scratch memory any more.
    let _ = SCRATCH.try_with(|scratch| scratch.set(line.text));
}

/// The start of a line.
pub(super) struct Line {
    text: String,
}

impl Line {
    /// Adds a message, or a field with its name.
    pub(super) fn add(&mut self, name: &str, value: fmt::Arguments<'_>) {
        // An error only means that the line is full.
        let _ = match name {
            "message" => self.write_fmt(value),
            name => self.add_name(name).and_then(|()| self.write_fmt(value)),
        };
    }

    fn add_name(&mut self, name: &str) -> fmt::Result {
        let space = if self.text.is_empty() { "" } else { " " };
        write!(self, "{space}{name}=")
    }
}

/// Keeps the start of the text, and returns an error when it is full, so that formatting stops.
impl Write for Line {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MAX_LINE.saturating_sub(self.text.len());
        self.text.push_str(&more[..more.floor_char_boundary(room)]);
        if more.len() <= room { Ok(()) } else { Err(fmt::Error) }
    }
}

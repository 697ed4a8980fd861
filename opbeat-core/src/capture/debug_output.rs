//! The `Debug` output of a value of the application: bounded, and without the backtrace that the value may contain.

use std::fmt::{self, Write};

use super::backtraces;
use super::one_line::OneLine;
use super::text::LONGEST;
use crate::caught::caught_quietly;

/// Returns the `Debug` output of a value, in one line, of at most 8 KiB. It ends before the first backtrace.
///
/// If backtraces are enabled in this process, it has the form of `{:#?}`, in which `anyhow` and `eyre` write no
/// backtrace: they look it up before they write it, which would block the request for milliseconds.
///
/// # Examples
///
/// ```
/// #[derive(Debug)]
/// struct NoShelf(u32);
///
/// assert_eq!(opbeat_core::http::debug_output(&NoShelf(3)), "NoShelf(3)");
/// ```
#[must_use]
pub fn debug_output(value: &dyn fmt::Debug) -> String {
    DebugOutput::of_value(value).text
}

/// The start of a `Debug` output.
pub(super) struct DebugOutput {
    pub(super) text: String,
    /// Formatting ended early.
    pub(super) is_cut: bool,
}

impl DebugOutput {
    /// Formats a value whose message is unknown.
    pub(super) fn of_value(value: &dyn fmt::Debug) -> Self {
        Self::of(value, backtraces::are_enabled(), LONGEST, &[])
    }

    /// Formats a value until its text ends with one of the messages, or a backtrace follows. A pretty output is joined
    /// to one line.
    pub(super) fn of(value: &dyn fmt::Debug, is_pretty: bool, most: usize, messages: &[&str]) -> Self {
        let (text, is_cut, line) = (String::new(), false, is_pretty.then(OneLine::default));
        let mut writer = Writer { output: Self { text, is_cut }, most, messages, line };
        // Formatting ends early by an error, and the application's formatter may panic. Neither matters here.
        caught_quietly(|| if is_pretty { write!(writer, "{value:#?}") } else { write!(writer, "{value:?}") });
        writer.output
    }
}

struct Writer<'a> {
    output: DebugOutput,
    most: usize,
    messages: &'a [&'a str],
    line: Option<OneLine>,
}

impl Write for Writer<'_> {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if self.output.is_cut {
            return Err(fmt::Error);
        }
        if backtraces::is_start(piece) {
            self.end_at(self.output.text.len());
            backtraces::remember_before(&self.output.text);
            return Err(fmt::Error);
        }
        let before = self.output.text.len();
        self.push(piece);
        if let Some(title) = backtraces::find_title(&self.output.text, before) {
            self.end_at(title);
        }
        // An error returned here ends the formatting before the next value, which may be the backtrace, is formatted.
        self.output.is_cut = self.output.is_cut
            || backtraces::is_field(piece)
            || self.ends_with_message(piece)
            || backtraces::is_likely_after(&self.output.text);
        if self.output.is_cut { Err(fmt::Error) } else { Ok(()) }
    }
}

impl Writer<'_> {
    fn push(&mut self, piece: &str) {
        let DebugOutput { text, is_cut } = &mut self.output;
        let end = piece.floor_char_boundary(self.most.saturating_sub(text.len()));
        match &mut self.line {
            Some(line) => line.push(text, &piece[..end]),
            None => text.push_str(&piece[..end]),
        }
        *is_cut = end < piece.len();
    }

    /// Returns whether the text ends with a message. `anyhow` and `eyre` write their backtrace after the last message.
    fn ends_with_message(&self, piece: &str) -> bool {
        /// Shorter messages end many texts by chance.
        const SHORTEST: usize = 4;
        let ends = |message: &str| message.len() >= SHORTEST && self.output.text.ends_with(message);
        self.messages.iter().any(|message| ends(message) || (piece == *message && !piece.is_empty()))
    }

    /// Ends the output at a position, without the line breaks before it.
    fn end_at(&mut self, end: usize) {
        self.output.text.truncate(self.output.text[..end].trim_end_matches('\n').len());
        self.output.is_cut = true;
    }
}

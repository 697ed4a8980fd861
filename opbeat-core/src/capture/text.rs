//! Texts of the application, cut to a maximum length. A formatter that fails or panics does no harm.

use std::fmt::{self, Write};

use super::backtraces;
use crate::caught::caught_quietly;

/// The number of bytes to which texts are cut: people read them.
pub(super) const LONGEST: usize = 8 * 1024;

/// The last character of a text that was cut.
const CUT: char = '…';

/// Returns the `Display` output of a value, of at most 8 KiB. If formatting fails or panics, it returns the part written
/// before.
///
/// # Examples
///
/// ```
/// assert_eq!(opbeat_core::http::display_output(&"no shelf"), "no shelf");
/// ```
#[must_use]
pub fn display_output(value: &dyn fmt::Display) -> String {
    display(value)
}

/// Returns the `Display` output of a value. If that fails or panics, it returns the part written before.
pub(super) fn display<T: fmt::Display + ?Sized>(value: &T) -> String {
    format(Text::default(), format_args!("{value}"))
}

/// Formats a text of a log event, up to the backtrace of an error in it. If that fails or panics, it returns the part
/// written before.
///
/// The application's logger formats the same text, with the backtrace.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn format_event(arguments: fmt::Arguments<'_>) -> String {
    format(Text { ends_at_backtrace: true, ..Text::default() }, arguments)
}

fn format(mut text: Text, arguments: fmt::Arguments<'_>) -> String {
    // A failure or a panic of the application's formatter only ends the text.
    caught_quietly(|| text.write_fmt(arguments));
    text.kept
}

/// Cuts a text to its maximum length.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push(CUT);
        text.shrink_to_fit();
    }
    text
}

/// Keeps the start of the text written to it, and returns an error at its maximum length, so that formatting stops.
#[derive(Default)]
struct Text {
    kept: String,
    ends_at_backtrace: bool,
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.kept.len() > LONGEST {
            return Err(fmt::Error);
        }
        let room = LONGEST - self.kept.len();
        if more.len() <= room {
            let before = self.kept.len();
            self.kept.push_str(more);
            return self.end_at_backtrace(before);
        }
        self.kept.push_str(&more[..more.floor_char_boundary(room)]);
        self.kept.push(CUT);
        Err(fmt::Error)
    }
}

impl Text {
    /// Removes a backtrace whose title is in the part from `from`, and returns an error then.
    fn end_at_backtrace(&mut self, from: usize) -> fmt::Result {
        let title = if self.ends_at_backtrace { backtraces::find_title(&self.kept, from) } else { None };
        let Some(title) = title else { return Ok(()) };
        self.kept.truncate(self.kept[..title].trim_end_matches('\n').len());
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = format!("x{}", "é".repeat(LONGEST));
        let displayed = display(&long);
        assert_eq!((displayed.len(), &displayed), (LONGEST - 1 + CUT.len_utf8(), &cut(long)));
        assert_eq!(
            format(Text::default(), format_args!("{}{}", "x".repeat(LONGEST), "y")).len(),
            LONGEST + CUT.len_utf8()
        );
    }

    struct Fails;

    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("before the failure")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn the_text_before_a_failure_is_kept() {
        assert_eq!(display(&Fails), "before the failure");
    }
}

//! Texts of the application, cut to a maximum length. A formatter that fails or panics does no harm.

use std::fmt::{self, Write};

use crate::caught::caught;

/// The number of bytes to which texts are cut: people read them.
const LONGEST: usize = 8 * 1024;

/// The last character of a text that was cut.
const CUT: char = '…';

/// Returns the `Display` output of a value. If that fails or panics, it returns the part written before.
pub(super) fn display<T: fmt::Display + ?Sized>(value: &T) -> String {
    format(format_args!("{value}"))
}

/// Formats a text. If that fails or panics, it returns the part written before.
pub(crate) fn format(arguments: fmt::Arguments<'_>) -> String {
    let mut text = Text::default();
    // A failure or a panic of the application's formatter only ends the text.
    caught(|| text.write_fmt(arguments));
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
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.kept.len() > LONGEST {
            return Err(fmt::Error);
        }
        let room = LONGEST - self.kept.len();
        if more.len() <= room {
            self.kept.push_str(more);
            return Ok(());
        }
        self.kept.push_str(&more[..more.floor_char_boundary(room)]);
        self.kept.push(CUT);
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
        assert_eq!(format(format_args!("{}{}", "x".repeat(LONGEST), "y")).len(), LONGEST + CUT.len_utf8());
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

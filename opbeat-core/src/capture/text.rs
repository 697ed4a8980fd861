//! Words of the application, within bounds and whatever happens while they are written.

use std::fmt::{self, Write};

use crate::caught::caught;

/// Longer texts are cut: a message is read by people.
const LONGEST: usize = 8 * 1024;

/// What stands at the end of a text that was cut.
const CUT: char = '…';

/// Returns what a value's `Display` writes, or as much of it as it writes before it fails or panics.
pub(super) fn shown<T: fmt::Display + ?Sized>(value: &T) -> String {
    written(format_args!("{value}"))
}

/// As [`shown`], for whatever can be formatted.
pub(crate) fn written(words: fmt::Arguments<'_>) -> String {
    let mut text = Text::default();
    // A failure or a panic is the application's, and stops its words only.
    caught(|| text.write_fmt(words));
    text.kept
}

/// Cuts a text that is there already.
pub(crate) fn cut(mut text: String) -> String {
    if text.len() > LONGEST {
        text.truncate(end(&text, LONGEST));
        text.push(CUT);
        text.shrink_to_fit();
    }
    text
}

/// Keeps the start of what is written to it, and refuses the rest, so that nobody goes on for nothing.
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
        self.kept.push_str(&more[..end(more, room)]);
        self.kept.push(CUT);
        Err(fmt::Error)
    }
}

/// Returns where a character ends, at `most` or the nearest place before.
fn end(text: &str, most: usize) -> usize {
    (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let long = format!("x{}", "é".repeat(LONGEST));
        let shown = shown(&long);
        assert_eq!((shown.len(), &shown), (LONGEST - 1 + CUT.len_utf8(), &cut(long)));
        assert_eq!(written(format_args!("{}{}", "x".repeat(LONGEST), "y")).len(), LONGEST + CUT.len_utf8());
    }

    struct Fails;

    impl fmt::Display for Fails {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("as far as it goes")?;
            Err(fmt::Error)
        }
    }

    #[test]
    fn what_fails_to_be_shown_is_kept_as_far_as_it_goes() {
        assert_eq!(shown(&Fails), "as far as it goes");
    }
}

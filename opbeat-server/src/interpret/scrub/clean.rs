//! Texts that were searched and contained no secret. The frames of an application's errors are the same again and again.

use std::borrow::Cow;
use std::cell::RefCell;

/// The number of texts that a thread remembers.
const SLOTS: usize = 2_048;

/// The length of the longest text that is remembered, in bytes. Longer ones are rarely the same.
const MAX_LENGTH: usize = 256;

/// Texts by the checksum of their bytes. They are compared as a whole, so that two texts with one checksum are not
/// confused.
struct Clean(Vec<String>);

thread_local! {
    static TEXTS: RefCell<Clean> = RefCell::new(Clean::new());
    static SOURCE: RefCell<Clean> = RefCell::new(Clean::new());
}

impl Clean {
    fn new() -> Self {
        Self(vec![String::new(); SLOTS])
    }

    fn search<'t>(&mut self, text: &'t str, scrub: impl FnOnce(&'t str) -> Cow<'t, str>) -> Cow<'t, str> {
        if text.len() > MAX_LENGTH {
            return scrub(text);
        }
        let slot = &mut self.0[crc32fast::hash(text.as_bytes()) as usize % SLOTS];
        if slot == text {
            return Cow::Borrowed(text);
        }
        let scrubbed = scrub(text);
        if matches!(scrubbed, Cow::Borrowed(_)) {
            slot.clear();
            slot.push_str(text);
        }
        scrubbed
    }
}

/// Removes the secrets of a text, unless it is known to have none.
pub(super) fn text<'t>(text: &'t str, scrub: impl FnOnce(&'t str) -> Cow<'t, str>) -> Cow<'t, str> {
    TEXTS.with_borrow_mut(|clean| clean.search(text, scrub))
}

/// Removes the secrets of a line of source code, unless it is known to have none.
pub(super) fn source<'t>(line: &'t str, scrub: impl FnOnce(&'t str) -> Cow<'t, str>) -> Cow<'t, str> {
    SOURCE.with_borrow_mut(|clean| clean.search(line, scrub))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> Cow<'_, str> {
        if text.contains("secret") { Cow::Owned(text.replace("secret", "-")) } else { Cow::Borrowed(text) }
    }

    #[test]
    fn only_equal_texts_without_secrets_are_not_searched_again() {
        for _ in 0..2 {
            for number in 0..3 * SLOTS {
                assert_eq!(text(&format!("line {number}"), masked), format!("line {number}"));
                assert_eq!(text(&format!("secret {number}"), masked), format!("- {number}"));
            }
        }
        assert_eq!(text("again", masked), "again");
        assert_eq!(text("again", |_| panic!("it is searched again")), "again");
        assert_eq!(
            source("again", |_| Cow::Borrowed("in source code, it is searched")),
            "in source code, it is searched"
        );
        let long = "secret ".repeat(MAX_LENGTH);
        assert_eq!(text(&long, masked), long.replace("secret", "-"));
    }
}

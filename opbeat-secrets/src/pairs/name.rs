//! The name in front of an operator.

use super::quotes::without_written;

/// The maximum length of a name, in bytes. Only the end of a longer name is read.
const MAX_NAME: usize = 64;

/// Words that report a problem with a secret. The text after `invalid token:` may be a reason, not the token.
const COMPLAINTS: [&str; 11] = [
    "invalid",
    "bad",
    "wrong",
    "missing",
    "malformed",
    "unknown",
    "expired",
    "unsupported",
    "incorrect",
    "no",
    "failed",
];

/// A name in front of an operator, a bracket or a comma.
pub(super) struct Name<'a> {
    /// The text in front of the name.
    before: &'a str,
    pub(super) text: &'a str,
    /// Whether the name is in quotes.
    pub(super) is_quoted: bool,
    /// Whether there is a space between the name and the operator.
    pub(super) has_gap: bool,
    /// Whether the operator compares, as `!=` does.
    pub(super) is_compared: bool,
}

impl<'a> Name<'a> {
    /// Reads the name at the end of a text.
    pub(super) fn before(text: &'a str) -> Self {
        let sign = text.trim_end_matches(['!', '<', '>', '~']);
        let name = sign.trim_end_matches([' ', '\t']);
        let bare = without_written(name).trim_end_matches(['"', '\'', '`', '\\']);
        let start = start_of_name(bare);
        Self {
            before: &bare[..start],
            text: &bare[start..],
            is_quoted: bare.len() < name.len(),
            has_gap: name.len() < sign.len(),
            is_compared: sign.len() < text.len(),
        }
    }

    /// Returns the name joined with the word before it, if both form one name, as in `API key`.
    pub(super) fn with_word_before(&self) -> Option<String> {
        let is_second = ["key", "number", "code", "id"].iter().any(|word| self.text.eq_ignore_ascii_case(word));
        let before = self.before.strip_suffix(' ').filter(|_| is_second)?;
        let word = &before[start_of_name(before)..];
        (!word.is_empty()).then(|| format!("{word}_{}", self.text))
    }

    /// Returns the name without the letters of an escape in front of it: `pin` in `\npin` and in `\u0026pin`.
    pub(super) fn without_escape(&self) -> Option<&'a str> {
        let text = self.text.as_bytes();
        let length = match text {
            _ if !self.before.ends_with('\\') => 0,
            [b'n' | b'r' | b't', _, ..] => 1,
            [b'u', digits @ ..] if digits.iter().take(4).filter(|digit| digit.is_ascii_hexdigit()).count() == 4 => 5,
            _ => 0,
        };
        (length > 0).then(|| &self.text[length..])
    }

    /// Returns whether the name is the first of a structure, or follows a space: `{Password:abc`, `map[pin:1`, ` Pin:1`.
    pub(super) fn is_in_structure(&self) -> bool {
        // An index belongs to a name, so that `map[password` is read as one.
        self.before.ends_with(['{', ' ']) || self.text.contains('[')
    }

    /// Returns the text in front of the quote that opens directly before the name.
    pub(super) fn before_quote(&self) -> Option<&'a str> {
        let open = self.before.strip_suffix(['"', '\''])?.trim_end_matches('\\');
        // Byte strings of Python: `b'password'`.
        Some(open.strip_suffix(['b', 'u']).filter(|open| !open.ends_with(char::is_alphanumeric)).unwrap_or(open))
    }

    /// Returns whether the word before the name reports a problem, as in `invalid token`.
    pub(super) fn follows_complaint(&self) -> bool {
        COMPLAINTS.iter().any(|word| self.follows(word))
    }

    /// Returns whether `word` precedes the name.
    pub(super) fn follows(&self, word: &str) -> bool {
        let before = self.before.trim_end_matches(['"', '\'', '`']).as_bytes();
        let Some(before) = before.strip_suffix(b" ") else { return false };
        let Some(start) = before.len().checked_sub(word.len()) else { return false };
        let is_whole = start == 0 || !before[start - 1].is_ascii_alphanumeric();
        is_whole && before[start..].eq_ignore_ascii_case(word.as_bytes())
    }
}

fn start_of_name(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || "-_.[]%".contains(c);
    let parts = text.char_indices().rev().take_while(|(at, c)| text.len() - at <= MAX_NAME && is_part(*c));
    parts.last().map_or(text.len(), |(at, _)| at)
}

/// Returns whether a name contains a part, ignoring case.
pub(super) fn has_part(name: &str, part: &str) -> bool {
    name.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

//! The value behind a secret name.

use std::ops::Range;

use super::REDACTED;
use super::extent::{bracketed, quoted};
use super::name::Name;
use super::plain::{is_absent, is_placeholder, is_statement, word_length};

/// Schemes of `Authorization`, in lower case.
const SCHEMES: [&str; 9] =
    ["bearer", "basic", "digest", "token", "negotiate", "apikey", "hawk", "dpop", "aws4-hmac-sha256"];

/// The way from a name to its value.
pub(super) struct Pair<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a Name<'a>,
    pub(super) operator: &'a str,
    /// Where the operator ends.
    pub(super) after: usize,
}

impl Pair<'_> {
    /// Finds the literal behind the name: what stands in quotes.
    pub(super) fn literal(&self) -> Option<Range<usize>> {
        let inner = quoted(self.text, self.start())?;
        let content = &self.text[inner.clone()];
        // A quote that closes one around the pair has no value behind it.
        let is_closing = self.operator == "=" && content.starts_with([',', '}', ']', ')', '>', ';']);
        (!is_closing && is_worth(content)).then_some(inner)
    }

    /// Finds the value, in quotes or without.
    pub(super) fn value(&self) -> Option<Range<usize>> {
        if self.name.follows("unexpected") {
            return None;
        }
        let start = self.start();
        if quoted(self.text, start).is_some() {
            return self.literal();
        }
        let assigns = !self.name.is_compared && matches!(self.operator, "=" | ":" | "=>" | ":=");
        let length = if assigns { self.bare_length(&self.text[start..], start > self.after)? } else { 0 };
        (length > 0).then(|| start..start + length)
    }

    fn start(&self) -> usize {
        let is_gap = |byte: &u8| matches!(byte, b' ' | b'\t') || (self.name.is_quoted && matches!(byte, b'\n' | b'\r'));
        self.after + self.text.as_bytes()[self.after..].iter().take_while(|byte| is_gap(byte)).count()
    }

    fn bare_length(&self, rest: &str, has_gap: bool) -> Option<usize> {
        if rest.starts_with(REDACTED) {
            return None;
        }
        let word = &rest[..word_length(rest)];
        if is_absent(word) && opening(rest).is_none() {
            return None;
        }
        if let Some(open) = opening(rest) {
            let end = bracketed(rest, open);
            return (end > open + "{}".len()).then_some(end);
        }
        if let Some(length) = self.credentials_length(rest) {
            return Some(length);
        }
        let is_other = match self.operator {
            ":" => is_statement(self.name, word, &rest[word.len()..], has_gap),
            _ => is_placeholder(word) || (has_gap && !self.name.has_gap && name_length(rest).is_some()),
        };
        (!is_other).then_some(word.len())
    }

    /// Measures what a scheme or a list of cookies begins: `Bearer abc`, `a=b; c=d`.
    fn credentials_length(&self, rest: &str) -> Option<usize> {
        if let Some(start) = scheme_length(rest, self.name.text) {
            return Some(list_length(&rest[start..])).filter(|length| *length > 0).map(|length| start + length);
        }
        (has(self.name.text, "cookie") && name_length(rest).is_some()).then(|| list_length(rest))
    }
}

/// Measures a scheme and its space. Only `Bearer` is known wherever it stands.
fn scheme_length(rest: &str, name: &str) -> Option<usize> {
    let schemes = if has(name, "auth") { &SCHEMES[..] } else { &SCHEMES[..1] };
    let is_first = |scheme: &&&str| {
        let begins =
            rest.as_bytes().get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme.as_bytes()));
        begins && rest.as_bytes().get(scheme.len()) == Some(&b' ')
    };
    schemes.iter().find(is_first).map(|scheme| scheme.len() + 1)
}

/// Returns whether there is something to remove.
pub(super) fn is_worth(content: &str) -> bool {
    let is_sign = content.len() <= 3 && !content.contains(char::is_alphanumeric);
    !is_sign && !content.starts_with(REDACTED)
}

/// Returns where a bracket opens that the value is in, with a type's name in front or without: `[1]`, `Some(1)`.
fn opening(rest: &str) -> Option<usize> {
    const MAX_TYPE: usize = 64;
    let bytes = rest.as_bytes();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let length = bytes.iter().take(MAX_TYPE).take_while(is_part).count();
    match bytes.get(length)? {
        b'(' | b'[' | b'{' => Some(length),
        b' ' if bytes[0].is_ascii_uppercase() && bytes.get(length + 1) == Some(&b'{') => Some(length + 1),
        _ => None,
    }
}

/// Measures words that make a list: `a=b; c="d", e=f`.
fn list_length(rest: &str) -> usize {
    let mut length = 0;
    loop {
        length += item_length(&rest[length..]);
        let item = rest[..length].trim_end_matches([';', ',', '\\']);
        let next = rest[length..].strip_prefix(' ').filter(|_| item.len() < length);
        let goes_on = next.is_some_and(|next| name_length(next).is_some());
        if !goes_on {
            return item.len();
        }
        length += 1;
    }
}

fn item_length(item: &str) -> usize {
    let value = name_length(item).map(|length| length + 1).filter(|value| item[*value..].starts_with('"'));
    if let Some(inner) = value.and_then(|value| quoted(item, value)) {
        let end = (inner.end + 1).min(item.len());
        return end + usize::from(item[end..].starts_with([';', ',']));
    }
    item.find(|c: char| c.is_whitespace() || "'\"<>)}]".contains(c)).unwrap_or(item.len())
}

/// Measures the name that stands first with `=` behind it.
fn name_length(text: &str) -> Option<usize> {
    const MAX_NAME: usize = 64;
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let length = text.as_bytes().iter().take(MAX_NAME).take_while(is_part).count();
    (length > 0 && text.as_bytes().get(length) == Some(&b'=')).then_some(length)
}

/// Returns whether a name has a part, in whatever case.
pub(super) fn has(name: &str, part: &str) -> bool {
    name.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

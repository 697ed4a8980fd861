//! The value after a secret name.

use std::ops::Range;

use super::name::{Name, has_part};
use super::not_secret::{is_absent, is_placeholder, is_statement, word_length};
use super::quotes::{bracketed, quoted};
use crate::rules::REDACTED;

/// Schemes of `Authorization`, in lower case.
const SCHEMES: [&str; 9] =
    ["bearer", "basic", "digest", "token", "negotiate", "apikey", "hawk", "dpop", "aws4-hmac-sha256"];

/// A name and the operator after it, from which the value is found.
pub(super) struct Pair<'a> {
    pub(super) text: &'a str,
    pub(super) name: &'a Name<'a>,
    pub(super) operator: &'a str,
    /// The end of the operator.
    pub(super) after: usize,
}

impl Pair<'_> {
    /// Returns the range of the value if it is in quotes.
    pub(super) fn literal(&self) -> Option<Range<usize>> {
        let inner = quoted(self.text, self.start())?;
        let content = &self.text[inner.clone()];
        // A quote that closes a literal around the pair is not the start of a value.
        let is_closing = self.operator == "=" && content.starts_with([',', '}', ']', ')', '>', ';']);
        (!is_closing && is_removable(content)).then_some(inner)
    }

    /// Returns the range of the value, in quotes or without.
    pub(super) fn value(&self) -> Option<Range<usize>> {
        if self.name.follows("unexpected") {
            return None;
        }
        let start = self.start();
        if quoted(self.text, start).is_some() {
            return self.literal();
        }
        if self.operator == ":" && self.text[start..].starts_with(['|', '>']) {
            return self.block(start);
        }
        let assigns = !self.name.is_compared && matches!(self.operator, "=" | ":" | "=>" | ":=");
        let length = if assigns { self.bare_length(&self.text[start..], start > self.after)? } else { 0 };
        (length > 0).then(|| start..start + length)
    }

    /// Returns the indented lines of a YAML block, given the position of its indicator: `|` or `>-`.
    fn block(&self, indicator: usize) -> Option<Range<usize>> {
        const MAX_INDICATOR: usize = 8;
        let head = &self.text[indicator..self.text.floor_char_boundary(indicator + MAX_INDICATOR)];
        let (head, _) = head.split_once('\n')?;
        let lines = &self.text[indicator + head.len() + 1..];
        let content = lines.trim_start_matches(' ');
        let indent = lines.len() - content.len();
        if head.trim_end().len() > "|+2".len() || indent == 0 || content.starts_with(REDACTED) {
            return None;
        }
        let is_inside = |line: &&str| line.trim_end().is_empty() || line.bytes().take(indent).all(|byte| byte == b' ');
        let length: usize = lines.split_inclusive('\n').take_while(is_inside).map(str::len).sum();
        let (start, length) = (self.text.len() - content.len(), length.saturating_sub(indent));
        let block = content[..length].trim_end();
        is_removable(block).then_some(start..start + block.len())
    }

    pub(super) fn start(&self) -> usize {
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

    /// Returns the length of credentials that start with a scheme or are a list of cookies: `Bearer abc`, `a=b; c=d`.
    fn credentials_length(&self, rest: &str) -> Option<usize> {
        if let Some(start) = scheme_length(rest, self.name.text) {
            return Some(list_length(&rest[start..])).filter(|length| *length > 0).map(|length| start + length);
        }
        (has_part(self.name.text, "cookie") && name_length(rest).is_some()).then(|| list_length(rest))
    }
}

/// Returns the length of a scheme and its space. Only `Bearer` is recognised after any secret name.
fn scheme_length(rest: &str, name: &str) -> Option<usize> {
    let schemes = if has_part(name, "auth") { &SCHEMES[..] } else { &SCHEMES[..1] };
    let is_first = |scheme: &&&str| {
        let begins =
            rest.as_bytes().get(..scheme.len()).is_some_and(|word| word.eq_ignore_ascii_case(scheme.as_bytes()));
        begins && rest.as_bytes().get(scheme.len()) == Some(&b' ')
    };
    schemes.iter().find(is_first).map(|scheme| scheme.len() + 1)
}

/// Returns whether a value has to be removed. It stays if it is removed already, or if it has at most three bytes and
/// no letter or digit among them.
pub(crate) fn is_removable(content: &str) -> bool {
    let is_sign = content.len() <= 3 && !content.contains(char::is_alphanumeric);
    !is_sign && !content.starts_with(REDACTED)
}

/// Returns the position of the bracket that contains the value, with or without a type name in front: `[1]`, `Some(1)`.
fn opening(rest: &str) -> Option<usize> {
    const MAX_TYPE: usize = 64;
    let bytes = rest.as_bytes();
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    // Go prints the type of a slice: `[]string{"abc"}`.
    let slice = if rest.starts_with("[]") { "[]".len() } else { 0 };
    let length = slice + bytes[slice..].iter().take(MAX_TYPE).take_while(is_part).count();
    if slice > 0 {
        return Some(if bytes.get(length) == Some(&b'{') { length } else { 0 });
    }
    match bytes.get(length)? {
        b'(' | b'[' | b'{' => Some(length),
        b' ' if bytes[0].is_ascii_uppercase() && bytes.get(length + 1) == Some(&b'{') => Some(length + 1),
        _ => None,
    }
}

/// Returns the length of a list of words: `a=b; c="d", e=f`.
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

/// Returns the length of the name at the start of the text, if `=` follows it.
fn name_length(text: &str) -> Option<usize> {
    const MAX_NAME: usize = 64;
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let length = text.as_bytes().iter().take(MAX_NAME).take_while(is_part).count();
    (length > 0 && text.as_bytes().get(length) == Some(&b'=')).then_some(length)
}

//! Finds pairs in any text: queries, forms, headers, JSON, markup, SQL, `Debug` output.
//!
//! One walk over the text stops at each sign that may separate a name from its value. It looks back over at most one
//! name, and forward only over text that it removes or that contains no further sign. Its time is therefore linear in
//! the length of the text, whatever the text contains.

use std::borrow::Cow;
use std::ops::Range;

use super::name::Name;
use super::quotes::{inside, quoted};
use super::value::{Pair, is_removable};
use super::{encoded, markup, phrase, url, wrapper};
use crate::rules::{REDACTED, Secrets};

/// The maximum length of a name that is itself a value, in bytes.
const MAX_NAME: usize = 64;

/// Removes the values of secret names and the passwords of URLs.
///
/// In source code only literals are removed: other text after a name is code.
pub(crate) fn scrub<'a>(secrets: &Secrets, text: &'a str, is_source: bool) -> Cow<'a, str> {
    let mut walk =
        Walk { secrets, text, is_source, scrubbed: String::new(), done: 0, value_expected: 0..0, row_end: 0 };
    let mut at = 0;
    while let Some(ahead) = text.as_bytes()[at..].iter().position(is_sign) {
        at = walk.visit(at + ahead);
    }
    walk.finish()
}

struct Walk<'s, 'a> {
    secrets: &'s Secrets,
    text: &'a str,
    is_source: bool,
    scrubbed: String,
    /// The end of the text that was already copied or removed.
    done: usize,
    /// The range in which the value of an earlier secret name may follow.
    value_expected: Range<usize>,
    /// The end of the last row of an `INSERT` with a secret column, where another row may follow.
    row_end: usize,
}

impl<'a> Walk<'_, 'a> {
    /// Inspects a sign. Returns the position at which the walk continues.
    fn visit(&mut self, at: usize) -> usize {
        let secret = match self.text.as_bytes()[at] {
            b'=' | b':' => return self.operator(at),
            b'(' | b'{' => self.wrapped(at).or_else(|| self.in_list(at)),
            b'<' => self.element(at),
            b',' => self.listed_value(at),
            b'&' => self.escaped_element(at),
            b'%' => self.encoded(at),
            _ => self.like(at).or_else(|| self.phrase(at)),
        };
        self.redact(secret).unwrap_or(at + 1)
    }

    fn redact(&mut self, secret: Option<Range<usize>>) -> Option<usize> {
        let secret = secret?;
        self.scrubbed.push_str(&self.text[self.done..secret.start]);
        self.scrubbed.push_str(REDACTED);
        self.done = secret.end;
        Some(secret.end)
    }

    fn finish(mut self) -> Cow<'a, str> {
        if self.done == 0 {
            return Cow::Borrowed(self.text);
        }
        self.scrubbed.push_str(&self.text[self.done..]);
        Cow::Owned(self.scrubbed)
    }

    fn operator(&mut self, at: usize) -> usize {
        let operator = operator(&self.text[at..]);
        let after = at + operator.len();
        if operator == ":" && (self.text[after..].starts_with("//") || self.text[after..].starts_with("\\/\\/")) {
            return self.redact(url::credentials(self.text, at)).unwrap_or(after);
        }
        if operator == ":" && self.text[..at].ends_with(":thin") {
            return self.redact(url::oracle(self.text, after)).unwrap_or(after);
        }
        if operator == "::" {
            return after;
        }
        let secret = self.pair(at, operator, after);
        self.redact(secret).unwrap_or(after)
    }

    fn pair(&mut self, at: usize, operator: &str, after: usize) -> Option<Range<usize>> {
        let name = Name::before(&self.text[..at]);
        let pair = Pair { text: self.text, name: &name, operator, after };
        if self.is_secret(&name) {
            let found = if self.is_source { pair.literal() } else { pair.value() };
            if found.is_none() && self.is_source && operator == ":" {
                self.expect_value(after);
            }
            return found;
        }
        if self.is_expected_value(&name, at) {
            self.value_expected = 0..0;
            return if self.is_source { pair.literal() } else { pair.value() };
        }
        let named = self.secret_name_as_value(&name, &pair).or_else(|| self.value_before_name(&name, &pair));
        named.or_else(|| self.row(at, after))
    }

    fn is_secret(&self, name: &Name<'_>) -> bool {
        let is_secret = |name: &str| self.secrets.is_secret(name);
        !name.text.is_empty()
            && (is_secret(name.text)
                || name.without_escape().is_some_and(is_secret)
                || name.with_word_before().is_some_and(|name| is_secret(&name)))
    }

    /// Remembers that a secret name was found, and that its value may follow within a few bytes.
    fn expect_value(&mut self, from: usize) {
        const NEAR: usize = 64;
        self.value_expected = from..from + NEAR;
    }

    /// Returns whether a value belongs to an earlier secret name: `"name": "pin", "value": "1"`,
    /// `const PIN: &str = "1"`.
    fn is_expected_value(&self, name: &Name<'_>, at: usize) -> bool {
        let Some(between) = self.value_expected.contains(&at).then(|| &self.text[self.value_expected.start..at]) else {
            return false;
        };
        match self.is_source {
            true => !between.contains([';', ',', ')', '{']),
            false => name.text.eq_ignore_ascii_case("value") && !between.contains(['}', '>']),
        }
    }

    /// Handles a pair whose value is itself a secret name, of a form part or of a later `value`.
    fn secret_name_as_value(&mut self, name: &Name<'_>, pair: &Pair<'_>) -> Option<Range<usize>> {
        if !is_naming(name.text) {
            return None;
        }
        let start = pair.after + usize::from(self.text[pair.after..].starts_with(' '));
        let quoted_name = quoted(self.text, start);
        let is_quoted = quoted_name.is_some();
        let bare = || (!self.is_source).then(|| start..start + word(&self.text[start..]).len());
        let inner = quoted_name.or_else(bare)?;
        if inner.is_empty() || inner.len() > MAX_NAME || !self.secrets.is_secret(&self.text[inner.clone()]) {
            return None;
        }
        self.expect_value(inner.end);
        // `<string name="pin">1</string>`
        let is_attribute = is_quoted && self.text.get(inner.end + 1..).is_some_and(|rest| rest.starts_with('>'));
        if is_attribute {
            return markup::content(self.text, inner.end + "\">".len());
        }
        // In prose, an empty line may follow `key: token`. Only the name of a form part may be without quotes.
        let is_part = is_quoted || self.text[..start].ends_with("form-data; name=");
        is_part.then(|| markup::part(self.text, inner.end))?
    }

    /// Returns a value in front of its secret name: `{"value": "1", "name": "pin"}`.
    fn value_before_name(&self, name: &Name<'_>, pair: &Pair<'_>) -> Option<Range<usize>> {
        if !name.text.eq_ignore_ascii_case("value") {
            return None;
        }
        const NEAR: usize = 256;
        let near = &self.text[..self.text.floor_char_boundary(pair.after + NEAR)];
        let inner = quoted(near, pair.start())?;
        let is_gap = |c: char| c.is_whitespace() || "\"'\\,".contains(c);
        let after = near[inner.end..].trim_start_matches(is_gap);
        let naming = word(after);
        let after = after[naming.len()..].trim_start_matches(is_gap).strip_prefix([':', '='])?;
        let named = word(after.trim_start_matches(is_gap));
        let is_secret = is_naming(naming) && self.secrets.is_secret(named);
        (is_secret && is_removable(&near[inner.clone()])).then_some(inner)
    }

    /// Returns the values of a row in an error message of PostgreSQL: `Key (email, token)=(a@b, abc)`.
    fn row(&self, at: usize, after: usize) -> Option<Range<usize>> {
        let columns = self.text[..at].strip_suffix(')').filter(|_| self.text[after..].starts_with('('))?;
        let start = columns.len() - columns.bytes().rev().take(256).position(|byte| byte == b'(')?;
        let is_secret = columns[start..].split(',').any(|column| self.secrets.is_secret(column.trim()));
        if !is_secret || self.text[after + 1..].starts_with(REDACTED) {
            return None;
        }
        Some(inside(self.text, after)).filter(|values| !values.is_empty())
    }

    /// Returns the content of a type with a secret name: `Secret(hunter2)`, `Password { text: "hunter2" }`.
    fn wrapped(&self, open: usize) -> Option<Range<usize>> {
        let before = &self.text[..open];
        let before = before.strip_suffix(' ').filter(|_| self.text[open..].starts_with('{')).unwrap_or(before);
        if !wrapper::is_wrapper(before, self.secrets) || (self.is_source && quoted(self.text, open + 1).is_none()) {
            return None;
        }
        let rest = self.text[open + 1..].trim_start_matches(['"', '\\', ' ']);
        let is_new = !rest.starts_with(REDACTED);
        is_new.then(|| inside(self.text, open)).filter(|held| !self.text[held.clone()].trim().is_empty())
    }

    /// Returns the list that SQL compares a column with, without an operator sign: `token IN ('a', 'b')`.
    fn in_list(&mut self, open: usize) -> Option<Range<usize>> {
        if phrase::opens_row(self.text, open, self.row_end, |name| self.secrets.is_secret(name)) {
            let is_removed = self.text[open + 1..].starts_with(REDACTED);
            let row = if is_removed { open + 1..open + 1 + REDACTED.len() } else { inside(self.text, open) };
            self.row_end = row.end;
            return (!is_removed && phrase::has_value(&self.text[row.clone()])).then_some(row);
        }
        let is_secret = self.is_secret(&column(&self.text[..open], &["in"])?);
        let first = (is_secret && self.text.as_bytes()[open] == b'(').then(|| quoted(self.text, open + 1))??;
        is_removable(&self.text[first]).then(|| inside(self.text, open))
    }

    /// Returns the literal after `LIKE` and `<>`.
    fn like(&self, quote: usize) -> Option<Range<usize>> {
        let column = column(&self.text[..quote], &["like", "ilike", "<>"])?;
        let inner = self.is_secret(&column).then(|| quoted(self.text, quote))??;
        is_removable(&self.text[inner.clone()]).then_some(inner)
    }

    /// Returns the quoted text after words that announce a password: `IDENTIFIED BY 'a'`, `wrong password "a"`.
    fn phrase(&self, quote: usize) -> Option<Range<usize>> {
        if !phrase::announces(&self.text[..quote], self.is_source) {
            return None;
        }
        let inner = quoted(self.text, quote)?;
        let content = &self.text[inner.clone()];
        (is_removable(content) && !phrase::is_template(content)).then_some(inner)
    }

    fn element(&self, at: usize) -> Option<Range<usize>> {
        let (name, start) = markup::element(self.text, at)?;
        if self.secrets.is_secret(name) {
            return markup::content(self.text, start);
        }
        let named = word(&self.text[start..]);
        let is_name = ["key", "name"].iter().any(|naming| name.eq_ignore_ascii_case(naming));
        (is_name && !self.is_source && self.secrets.is_secret(named))
            .then(|| markup::value_after_name(self.text, start + named.len()))?
    }

    fn escaped_element(&self, at: usize) -> Option<Range<usize>> {
        let (name, start) = markup::escaped_element(self.text, at)?;
        self.secrets.is_secret(name).then(|| markup::escaped_content(self.text, start))?
    }

    /// Returns the secret of a percent-encoded pair or URL.
    fn encoded(&self, at: usize) -> Option<Range<usize>> {
        if self.is_source {
            return None;
        }
        encoded::credentials(self.text, at)
            .or_else(|| encoded::value(self.text, at, |name| self.secrets.is_secret(name)))
            .filter(|value| !self.text[value.start..].starts_with(REDACTED))
    }

    /// Returns the value after a name in a tuple or a list: `("authorization", "Bearer abc")`, `["Cookie", "a=b"]`.
    fn listed_value(&self, comma: usize) -> Option<Range<usize>> {
        let before = &self.text[..comma];
        let name = before.ends_with(['"', '\'']).then(|| Name::before(before))?;
        let open = name.before_quote()?;
        let outside = open.trim_end();
        if !outside.ends_with(['(', '[', ',']) || !self.is_secret(&name) {
            return None;
        }
        let after = &self.text[comma + 1..];
        let inner = quoted(self.text, self.text.len() - after.trim_start().len())?;
        let value = &self.text[inner.clone()];
        // A list may also be a list of names: `["password", "email"]`.
        let is_name = value.bytes().all(|byte| byte.is_ascii_alphabetic() || b"_-.".contains(&byte));
        let is_pair = (outside.ends_with('(') && !self.is_source) || is_pair_in_list(outside, &self.text[inner.end..]);
        let is_value = is_pair || !(is_name || self.secrets.is_secret(value));
        (is_value && is_removable(value)).then_some(inner)
    }
}

fn is_sign(byte: &u8) -> bool {
    matches!(byte, b'=' | b':' | b'(' | b'{' | b'<' | b',' | b'\'' | b'"' | b'&' | b'%')
}

/// Returns whether the name of a pair says that its value is a name.
fn is_naming(name: &str) -> bool {
    ["name", "key", "header", "field"].iter().any(|naming| name.eq_ignore_ascii_case(naming))
}

/// Returns the word at the start of the text, as names of variables and form fields have it.
fn word(text: &str) -> &str {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    &text[..text.bytes().take(MAX_NAME + 1).take_while(is_part).count()]
}

/// Returns whether a list has two items and is itself an item of a list: `[["pin", "1"]]`.
fn is_pair_in_list(before: &str, after: &str) -> bool {
    let outside = before.strip_suffix('[').map(str::trim_end).unwrap_or_default();
    let is_first_or_next =
        outside.ends_with('[') || outside.strip_suffix(',').is_some_and(|outside| outside.trim_end().ends_with(']'));
    is_first_or_next && after.get(1..).is_some_and(|after| after.trim_start().starts_with(']'))
}

/// Returns the operator at the start of the text.
fn operator(text: &str) -> &str {
    let length = match text.as_bytes() {
        [b'=', b'>', ..] | [b':', b':' | b'=', ..] => 2,
        [b'=', ..] => text.bytes().take_while(|byte| *byte == b'=').count(),
        _ => 1,
    };
    &text[..length]
}

/// Returns the column in front of an SQL keyword, if the text ends with one of the keywords.
fn column<'a>(before: &'a str, words: &[&str]) -> Option<Name<'a>> {
    let before = before.strip_suffix(' ').unwrap_or(before);
    let is_last = |word: &&&str| {
        let start = before.len().checked_sub(word.len() + 1);
        start.is_some_and(|start| {
            let (space, last) = before.as_bytes()[start..].split_at(1);
            space == b" " && last.eq_ignore_ascii_case(word.as_bytes())
        })
    };
    words.iter().find(is_last).map(|word| Name::before(&before[..before.len() - word.len() - 1]))
}

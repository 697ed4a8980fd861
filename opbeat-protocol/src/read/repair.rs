//! Turns bodies that are nearly JSON into JSON.

use super::context::{push_index, push_key};
use super::notes::{Notes, Oddity};
use super::unreadable::Unreadable;

/// The levels of nesting of which paths are known.
const MAX_CRUMBS: usize = 64;

/// The nearest number to one that does not fit into `f64`.
const LARGEST: &str = "1e308";

/// A body that is strict JSON.
pub(super) struct Repaired {
    pub(super) json: String,
    pub(super) notes: Notes,
}

/// Writes a body as strict JSON, in one pass without recursion:
///
/// - `NaN` and infinities become `null`;
/// - numbers that are too large become the largest;
/// - a lone surrogate, and bytes that are not UTF-8, become U+FFFD;
/// - raw control characters in texts become escapes.
///
/// # Errors
///
/// Returns an error for anything else that is not JSON.
pub(super) fn repair(json: &[u8], notes: Notes) -> Result<Repaired, Unreadable> {
    let mut scanner =
        Scanner { input: json, position: 0, output: Vec::with_capacity(json.len()), notes, crumbs: Vec::new() };
    scanner.document()?;
    match String::from_utf8(scanner.output) {
        Ok(json) => Ok(Repaired { json, notes: scanner.notes }),
        Err(_) => Err(Unreadable::NotJson { line: 1, column: 1, reason: "it is not UTF-8".to_owned() }),
    }
}

/// The last key or index of one level.
enum Crumb {
    Key(String),
    Index(usize),
}

struct Scanner<'a> {
    input: &'a [u8],
    position: usize,
    output: Vec<u8>,
    notes: Notes,
    /// The path of the current value, up to a depth.
    crumbs: Vec<Crumb>,
}

/// The syntax that may follow.
#[derive(Clone, Copy)]
enum Next {
    Value,
    /// A value, or the end of an array that has none yet.
    ValueOrEnd,
    Key,
    /// A key, or the end of an object that has none yet.
    KeyOrEnd,
    /// A comma, or the end of the array or object.
    CommaOrEnd,
}

impl<'a> Scanner<'a> {
    fn document(&mut self) -> Result<(), Unreadable> {
        // Whether each open level is an object.
        let mut levels: Vec<bool> = Vec::new();
        let mut next = Next::Value;
        loop {
            self.white_space();
            let Some(byte) = self.peek() else { return Err(Unreadable::Truncated) };
            next = match (next, byte) {
                (Next::Value | Next::ValueOrEnd, b'{') => {
                    self.open(byte, true, &mut levels);
                    Next::KeyOrEnd
                }
                (Next::Value | Next::ValueOrEnd, b'[') => {
                    self.open(byte, false, &mut levels);
                    Next::ValueOrEnd
                }
                (Next::ValueOrEnd, b']') | (Next::KeyOrEnd, b'}') => self.close(byte, &mut levels),
                (Next::CommaOrEnd, b']') if levels.last() == Some(&false) => self.close(byte, &mut levels),
                (Next::CommaOrEnd, b'}') if levels.last() == Some(&true) => self.close(byte, &mut levels),
                (Next::CommaOrEnd, b',') => {
                    self.copy(byte);
                    self.next_index(levels.len());
                    if levels.last() == Some(&true) { Next::Key } else { Next::Value }
                }
                (Next::Key | Next::KeyOrEnd, b'"') => {
                    self.key(levels.len())?;
                    Next::Value
                }
                (Next::Value | Next::ValueOrEnd, _) => {
                    self.scalar(byte)?;
                    Next::CommaOrEnd
                }
                (Next::Key | Next::KeyOrEnd, _) => return Err(self.error("a key must be a text in double quotes")),
                (Next::CommaOrEnd, _) => return Err(self.error("expected a comma or the end of the array or object")),
            };
            if levels.is_empty() {
                return self.end();
            }
        }
    }

    fn open(&mut self, byte: u8, is_object: bool, levels: &mut Vec<bool>) {
        self.copy(byte);
        if levels.len() < MAX_CRUMBS {
            self.crumbs.push(if is_object { Crumb::Key(String::new()) } else { Crumb::Index(0) });
        }
        levels.push(is_object);
    }

    fn close(&mut self, byte: u8, levels: &mut Vec<bool>) -> Next {
        self.copy(byte);
        levels.pop();
        self.crumbs.truncate(levels.len());
        Next::CommaOrEnd
    }

    fn next_index(&mut self, depth: usize) {
        if depth <= MAX_CRUMBS
            && let Some(Crumb::Index(index)) = self.crumbs.last_mut()
        {
            *index += 1;
        }
    }

    /// Copies a key and its colon.
    fn key(&mut self, depth: usize) -> Result<(), Unreadable> {
        let start = self.output.len() + 1;
        self.text()?;
        if depth <= MAX_CRUMBS {
            let end = self.output.len().saturating_sub(1);
            let key = self.output.get(start..end.min(start + 100)).unwrap_or_default();
            let key = String::from_utf8_lossy(key).into_owned();
            if let Some(crumb) = self.crumbs.last_mut() {
                *crumb = Crumb::Key(key);
            }
        }
        self.white_space();
        match self.peek() {
            Some(b':') => self.copy(b':'),
            Some(_) => return Err(self.error("expected a colon after the key")),
            None => return Err(Unreadable::Truncated),
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Unreadable> {
        self.white_space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.error("there is more after the end of the JSON value")),
        }
    }

    fn scalar(&mut self, first: u8) -> Result<(), Unreadable> {
        match first {
            b'"' => self.text(),
            b'-' | b'+' | b'0'..=b'9' => self.number(),
            b'a'..=b'z' | b'A'..=b'Z' => {
                let length = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
                self.word(length)
            }
            _ => Err(self.error("expected a value")),
        }
    }

    /// Copies a word without quotes: `true`, or one of the words that stand for no number.
    fn word(&mut self, length: usize) -> Result<(), Unreadable> {
        let word = &self.rest()[..length];
        let is_at_end = length == self.rest().len();
        if matches!(word, b"true" | b"false" | b"null") {
            self.output.extend_from_slice(word);
        } else if is_not_a_number(word) {
            self.output.extend_from_slice(b"null");
            self.note(Oddity::NotANumber);
        } else if is_at_end {
            return Err(Unreadable::Truncated);
        } else {
            return Err(self.error("an unknown word; texts need double quotes"));
        }
        self.position += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Unreadable> {
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = self.rest().iter().take_while(|byte| is_part(byte)).count();
        let number = &self.rest()[..length];
        if matches!(number, [b'-' | b'+', word @ ..] if is_not_a_number(word)) {
            self.output.extend_from_slice(b"null");
            self.note(Oddity::NotANumber);
        } else if !is_number(number) {
            // A number at the very end may be cut, and is not the end of an object in any case.
            let is_at_end = length == self.rest().len();
            return Err(if is_at_end { Unreadable::Truncated } else { self.error("an invalid number") });
        } else {
            let value = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(0.0_f64);
            if value.abs() > 1e308 {
                let sign = if value < 0.0 { "-" } else { "" };
                self.output.extend_from_slice(sign.as_bytes());
                self.output.extend_from_slice(LARGEST.as_bytes());
                self.note(Oddity::OutOfRange);
            } else {
                self.output.extend_from_slice(number);
            }
        }
        self.position += length;
        Ok(())
    }

    /// Copies a text with its quotes.
    fn text(&mut self) -> Result<(), Unreadable> {
        self.copy(b'"');
        loop {
            let is_plain = |byte: &u8| *byte >= 0x20 && !matches!(byte, b'"' | b'\\');
            let length = self.rest().iter().take_while(|byte| is_plain(byte)).count();
            self.plain(length);
            match self.peek() {
                None => return Err(Unreadable::Truncated),
                Some(b'"') => {
                    self.copy(b'"');
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(control) => {
                    self.control(control);
                    // The reader of the text notes NUL itself.
                    if control != 0 {
                        self.note(Oddity::ControlCharacter);
                    }
                }
            }
        }
    }

    /// Escapes a control character.
    fn control(&mut self, control: u8) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let digit = |value: u8| DIGITS[usize::from(value & 0xf)];
        self.output.extend_from_slice(b"\\u00");
        self.output.extend([digit(control >> 4), digit(control)]);
        self.position += 1;
    }

    /// Copies bytes of a text that need no escape.
    fn plain(&mut self, length: usize) {
        let bytes = &self.rest()[..length];
        self.position += length;
        for chunk in bytes.utf8_chunks() {
            self.output.extend_from_slice(chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                self.output.extend_from_slice("\u{fffd}".as_bytes());
                self.note(Oddity::InvalidUtf8);
            }
        }
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        match self.rest().get(1) {
            None => Err(Unreadable::Truncated),
            Some(b'u') => self.unicode_escape(),
            Some(escaped @ (b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't')) => {
                self.output.extend_from_slice(&[b'\\', *escaped]);
                self.position += 2;
                Ok(())
            }
            Some(_) => Err(self.error("an invalid escape in a text")),
        }
    }

    /// Copies `\ud83d\ude00`, or replaces half of it.
    fn unicode_escape(&mut self) -> Result<(), Unreadable> {
        let unit = self.code_unit(0)?;
        let is_high = (0xd800..0xdc00).contains(&unit);
        let is_low = (0xdc00..0xe000).contains(&unit);
        let follows_low = || {
            self.rest().get(6..8) == Some(b"\\u".as_slice())
                && self.code_unit(6).is_ok_and(|low| (0xdc00..0xe000).contains(&low))
        };
        let length = if is_high && follows_low() { 12 } else { 6 };
        if length == 6 && (is_high || is_low) {
            self.output.extend_from_slice("\u{fffd}".as_bytes());
            self.note(Oddity::LoneSurrogate);
        } else {
            self.output.extend_from_slice(&self.rest()[..length]);
        }
        self.position += length;
        Ok(())
    }

    /// Reads the four digits of an escape that starts at an offset from the current position.
    fn code_unit(&self, offset: usize) -> Result<u16, Unreadable> {
        let Some(digits) = self.rest().get(offset + 2..offset + 6) else { return Err(Unreadable::Truncated) };
        let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
        let unit = std::str::from_utf8(digits).ok().filter(|_| is_hex);
        unit.and_then(|digits| u16::from_str_radix(digits, 16).ok())
            .ok_or_else(|| self.error("an escape in a text needs four hexadecimal digits"))
    }

    fn white_space(&mut self) {
        let length = self.rest().iter().take_while(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t')).count();
        self.position += length;
    }

    fn rest(&self) -> &'a [u8] {
        self.input.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.input.get(self.position).copied()
    }

    fn copy(&mut self, byte: u8) {
        self.output.push(byte);
        self.position += 1;
    }

    fn note(&mut self, oddity: Oddity) {
        let crumbs = &self.crumbs;
        self.notes.add_with(oddity, 1, || {
            let mut path = String::new();
            for crumb in crumbs {
                match crumb {
                    Crumb::Key(key) => push_key(&mut path, key),
                    Crumb::Index(index) => push_index(&mut path, *index),
                }
            }
            path
        });
    }

    fn error(&self, reason: &str) -> Unreadable {
        let before = &self.input[..self.position.min(self.input.len())];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
        Unreadable::NotJson {
            line: 1 + before.iter().filter(|byte| **byte == b'\n').count(),
            column: 1 + before.len() - line_start,
            reason: reason.to_owned(),
        }
    }
}

/// Returns whether a word stands for no number in the output of a common JSON writer.
fn is_not_a_number(word: &[u8]) -> bool {
    ["nan", "inf", "infinity"].iter().any(|known| word.eq_ignore_ascii_case(known.as_bytes()))
}

/// Returns whether bytes are a JSON number.
fn is_number(number: &[u8]) -> bool {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = number.strip_prefix(b"-").unwrap_or(number);
    let whole = digits(unsigned);
    if whole == 0 || (whole > 1 && unsigned[0] == b'0') {
        return false;
    }
    let mut rest = &unsigned[whole..];
    if let [b'.', fraction @ ..] = rest {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

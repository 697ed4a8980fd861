//! Divides a text at spaces, quotes and brackets.

use super::output::{EMAIL, IP, MAC, Output, QUOTED, is_word_byte};
use super::patterns::{email, ipv6, mac};
use super::pieces;

/// The treatment of quoted values.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    Replaced,
    Kept,
}

/// Returns a text with placeholders. `is_cut` says whether the agent cut the text at its end.
pub(super) fn scan(text: &str, is_cut: bool, quotes: Quotes) -> String {
    let output = Output::with_capacity(text.len());
    let mut scanner = Scanner { text, bytes: text.as_bytes(), at: 0, output, quotes, unclosed: Vec::new() };
    scanner.scan(is_cut);
    scanner.output.into_text()
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    output: Output,
    quotes: Quotes,
    /// The quotes that no later quote closes.
    unclosed: Vec<char>,
}

impl Scanner<'_> {
    fn scan(&mut self, is_cut: bool) {
        while let Some(byte) = self.byte(self.at) {
            if byte.is_ascii_whitespace() || byte.is_ascii_control() {
                self.output.push_space();
                self.at += 1;
            } else if let Some(quote) = self.opening_quote() {
                if !self.quoted(quote, is_cut) {
                    self.output.push(quote);
                    self.at += quote.len_utf8();
                }
            } else if let Some(length) = self.bracketed_address() {
                self.output.put(IP);
                self.at += length;
            } else if is_separator(byte) {
                self.output.push(char::from(byte));
                self.at += 1;
            } else {
                self.chunk();
            }
        }
    }

    /// Returns the length of an address such as `[::1]:5432` at the cursor.
    fn bracketed_address(&self) -> Option<usize> {
        const MAX: usize = 48;
        let inside = self.bytes[self.at..].strip_prefix(b"[")?;
        let length = inside.iter().take(MAX).position(|byte| *byte == b']')?;
        let start = self.at + 1;
        if !ipv6(self.text.get(start..start + length)?) {
            return None;
        }
        let port = inside[length + 1..].strip_prefix(b":").unwrap_or_default();
        let digits = port.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
        Some(length + 2 + if digits > 0 { 1 + digits } else { 0 })
    }

    fn byte(&self, at: usize) -> Option<u8> {
        self.bytes.get(at).copied()
    }

    fn is_alphanumeric(&self, at: usize) -> bool {
        self.byte(at).is_some_and(is_word_byte)
    }

    /// Returns the quote that starts at the cursor. The apostrophe in `can't` does not quote.
    fn opening_quote(&self) -> Option<char> {
        let quote = self.text[self.at..].chars().next()?;
        let is_quote = matches!(quote, '\'' | '"' | '`' | '“' | '‘' | '«');
        let follows_word = self.at > 0 && self.is_alphanumeric(self.at - 1) && !self.is_string_prefix(self.at - 1);
        let is_replaced = self.quotes == Quotes::Replaced;
        (is_replaced && is_quote && !(quote == '\'' && follows_word)).then_some(quote)
    }

    /// Returns whether the letter at a position is the `u` or `b` of Python's `u'text'` and `b'text'`.
    fn is_string_prefix(&self, at: usize) -> bool {
        matches!(self.byte(at), Some(b'u' | b'b' | b'r')) && !(at > 0 && self.is_alphanumeric(at - 1))
    }

    /// Replaces a quoted value. Returns `false` if no quote closes it.
    fn quoted(&mut self, open: char, is_cut: bool) -> bool {
        if self.unclosed.contains(&open) {
            return false;
        }
        let start = self.at + open.len_utf8();
        let has_prefix = self.at > 0 && self.is_string_prefix(self.at - 1);
        let mut is_escaped = false;
        let is_close = |&(at, character): &(usize, char)| {
            let was_escaped = is_escaped;
            is_escaped = character == '\\' && !was_escaped;
            // The apostrophe of a word inside the quotes is followed by a letter.
            let is_apostrophe = character == '\'' && self.is_alphanumeric(start + at + 1);
            closes(open, character) && !was_escaped && !is_apostrophe
        };
        match self.text[start..].char_indices().find(is_close) {
            Some((at, close)) => {
                if has_prefix {
                    self.output.pop();
                }
                self.at = start + at + close.len_utf8();
                self.output.put(QUOTED);
                true
            }
            None if is_cut => {
                self.at = self.bytes.len();
                self.output.put(QUOTED);
                true
            }
            None => {
                self.unclosed.push(open);
                false
            }
        }
    }

    /// Reads up to the next space, quote or bracket.
    fn chunk(&mut self) {
        let start = self.at;
        let mut scheme = None;
        let mut is_url = false;
        let mut end = start;
        while let Some(byte) = self.byte(end) {
            let is_quote = match byte {
                b'\'' => {
                    let is_in_word = end > start && self.is_alphanumeric(end - 1) && self.is_alphanumeric(end + 1);
                    !is_in_word || self.is_string_prefix(end - 1)
                }
                b'"' | b'`' => true,
                0xc2 | 0xe2 => self.text[end..].starts_with(['“', '”', '‘', '’', '«', '»']),
                _ => false,
            };
            // In the query of a URL, these separate no values of the text.
            let is_in_url = is_url && matches!(byte, b'=' | b',' | b';' | b'|');
            let is_digit_at = |at: usize| self.byte(at).is_some_and(|byte| byte.is_ascii_digit());
            let is_in_number = byte == b',' && end > start && is_digit_at(end - 1) && is_digit_at(end + 1);
            let is_inside = is_in_url || is_in_number;
            let is_end = byte.is_ascii_whitespace() || byte.is_ascii_control() || (is_separator(byte) && !is_inside);
            if is_end || (is_quote && end > start) {
                break;
            }
            is_url |= scheme.is_some() || (byte == b'?' && self.bytes[start] == b'/');
            if byte == b':' && scheme.is_none() && self.text[end..].starts_with("://") {
                scheme = Some(end);
            }
            end += 1;
        }
        // A multi-byte quote without a partner.
        let end = if end == start { start + self.text[start..].chars().next().map_or(1, char::len_utf8) } else { end };
        self.at = end;
        let word_end = start + self.text[start..end].trim_end_matches(['.', ':', '!', '?', ',', ';', '…']).len();
        let chunk = &self.text[start..word_end];
        let is_plain = !chunk.bytes().any(|byte| byte.is_ascii_digit() || matches!(byte, b'@' | b':' | b'\\'));
        if let Some(scheme) = scheme {
            pieces::add_url(&mut self.output, chunk, scheme - start);
        } else if is_plain {
            self.output.push_word(chunk, &self.text[end..]);
        } else if email(chunk) {
            self.output.put(EMAIL);
        } else if mac(chunk) {
            self.output.put(MAC);
        } else if ipv6(chunk) {
            self.output.put(IP);
        } else {
            pieces::add(&mut self.output, chunk);
        }
        self.output.push_str(&self.text[word_end..end]);
        if word_end == end {
            self.at += self.output.join_unit(&self.text[end..]);
        }
    }
}

fn is_separator(byte: u8) -> bool {
    matches!(byte, b'(' | b')' | b'[' | b']' | b'{' | b'}' | b'<' | b'>' | b',' | b';' | b'|' | b'=')
}

fn closes(open: char, close: char) -> bool {
    match open {
        '“' => close == '”',
        '‘' => close == '’',
        '«' => close == '»',
        // Ruby before 3.4 quotes with `name'.
        '`' => matches!(close, '`' | '\''),
        _ => open == close,
    }
}

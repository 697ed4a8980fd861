//! Replaces the parts of a text that vary between occurrences of one error: numbers, ids, addresses, times, values.
//!
//! One pass from left to right: text ─► chunk (until a space, quote or bracket) ─► piece (letters and digits) ─► as it
//! is, or a placeholder. Each look ahead is bounded, so that the time is linear in the length of the text.

use super::patterns::{
    Unit, email, ipv4, ipv6, mac, month, random, spaced_unit, time, time_zone, unit, uuid, version, weekday,
};

/// The maximum length of the text that is read, in bytes. The start of a message identifies it.
const MAX_TEXT: usize = 1_000;

/// The maximum length of the result if an agent cut the text, in bytes: the cut is at another word in each occurrence.
const MAX_CUT_TEXT: usize = 80;

/// The number of words after a number that can be counted by it.
const MAX_COUNTED: usize = 3;

/// A number or an id: many ids are numbers, and a hash can consist of digits only.
const NUMBER: &str = "{n}";
const TIME: &str = "{time}";
const QUOTED: &str = "{text}";
const ADDRESS: &str = "{address}";

/// Replaces the variable parts of a text with placeholders such as `{n}`, and its white space with single spaces.
///
/// Digits inside a word, such as `S3`, `K8s` or `utf8`, stay.
pub(super) fn normalise(text: &str) -> String {
    let start = &text[..text.floor_char_boundary(MAX_TEXT)];
    let cut = start.strip_suffix('…').or_else(|| start.strip_suffix("..."));
    let mut scanner = Scanner::new(cut.unwrap_or(start));
    scanner.scan(cut.is_some());
    let mut normal = scanner.out;
    if cut.is_some() && normal.len() > MAX_CUT_TEXT {
        normal.truncate(normal.floor_char_boundary(MAX_CUT_TEXT));
        normal.truncate(normal.rfind(' ').unwrap_or(normal.len()));
    }
    let end = normal.trim_end_matches([' ', '.', '!']).len();
    normal.truncate(end);
    normal
}

/// Replaces the variable parts of a path, as [`normalise`] does, and separates its folders with `/`.
pub(super) fn normalise_path(path: &str) -> String {
    let path = &path[..path.floor_char_boundary(MAX_TEXT)];
    let mut scanner = Scanner::new(path);
    scanner.pieces(0, path.len());
    scanner.out
}

/// Returns whether a text has letters besides its placeholders.
pub(super) fn says_something(normal: &str) -> bool {
    let mut is_placeholder = false;
    normal.chars().any(|character| {
        is_placeholder = (is_placeholder || character == '{') && character != '}';
        !is_placeholder && character.is_alphabetic()
    })
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    out: String,
    /// The quotes that no later quote closes.
    unclosed: Vec<char>,
    /// The number of words since the last number.
    words_after_number: usize,
    /// Whether the last placeholder is a date to which more numbers belong: `27 Nov 2026`.
    is_in_date: bool,
}

impl<'a> Scanner<'a> {
    fn new(text: &'a str) -> Self {
        let out = String::with_capacity(text.len());
        Self {
            text,
            bytes: text.as_bytes(),
            at: 0,
            out,
            unclosed: Vec::new(),
            words_after_number: usize::MAX,
            is_in_date: false,
        }
    }

    fn scan(&mut self, is_cut: bool) {
        while let Some(byte) = self.byte(self.at) {
            if byte.is_ascii_whitespace() || byte.is_ascii_control() {
                if !self.out.is_empty() && !self.out.ends_with(' ') {
                    self.out.push(' ');
                }
                self.at += 1;
            } else if let Some(quote) = self.opening_quote() {
                if !self.quoted(quote, is_cut) {
                    self.out.push(quote);
                    self.at += quote.len_utf8();
                }
            } else if let Some(length) = self.bracketed_address() {
                self.put("{ip}");
                self.at += length;
            } else if is_separator(byte) {
                self.out.push(char::from(byte));
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

    /// Returns the quote that starts at the cursor. The apostrophe in `can't` is none.
    fn opening_quote(&self) -> Option<char> {
        let quote = self.text[self.at..].chars().next()?;
        let is_quote = matches!(quote, '\'' | '"' | '`' | '“' | '‘' | '«');
        let follows_word = self.at > 0 && self.is_alphanumeric(self.at - 1) && !self.is_string_prefix(self.at - 1);
        (is_quote && !(quote == '\'' && follows_word)).then_some(quote)
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
                    self.out.pop();
                }
                self.at = start + at + close.len_utf8();
                self.put(QUOTED);
                true
            }
            None if is_cut => {
                self.at = self.bytes.len();
                self.put(QUOTED);
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
            let is_digit_at = |at: usize| self.byte(at).is_some_and(is_digit);
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
            self.url(start, scheme, word_end);
        } else if is_plain {
            self.word(chunk);
        } else if email(chunk) {
            self.put("{email}");
        } else if mac(chunk) {
            self.put("{mac}");
        } else if ipv6(chunk) {
            self.put("{ip}");
        } else {
            self.pieces(start, word_end);
        }
        self.out.push_str(&self.text[word_end..end]);
        if word_end == end {
            self.after_number();
        }
    }

    /// Adds a word without digits, or a date if it is the name of a month or a weekday beside a number.
    fn word(&mut self, word: &str) {
        let starts_date = |scanner: &Self| {
            let rest = scanner.text[scanner.at..].trim_start_matches([',', ' ']);
            let next = rest.split([' ', ',']).next().unwrap_or_default();
            rest.starts_with(|c: char| c.is_ascii_digit()) || month(next)
        };
        if month(word) && self.out.ends_with("{n} ") {
            self.out.truncate(self.out.len() - "{n} ".len());
            self.put(TIME);
            self.is_in_date = true;
        } else if (month(word) || weekday(word)) && starts_date(self) {
            self.put(TIME);
            self.is_in_date = true;
        } else if !(time_zone(word) && self.out.ends_with("{time} ")) {
            self.counted(word);
            self.is_in_date = false;
        } else {
            self.out.pop();
        }
    }

    /// Joins a number with the unit after it.
    fn after_number(&mut self) {
        if !self.out.ends_with(NUMBER) || self.byte(self.at) != Some(b' ') {
            return;
        }
        let start = self.at + 1;
        let length = self.bytes[start..].iter().take(20).take_while(|byte| is_word_byte(**byte)).count();
        if self.bytes[start..].get(length).is_some_and(|byte| matches!(byte, b'_' | b'/' | b'=' | b'-')) {
            return;
        }
        if let Some(unit) = self.text.get(start..start + length).and_then(spaced_unit) {
            self.out.truncate(self.out.len() - NUMBER.len());
            self.put(unit.placeholder());
            self.at = start + length;
        }
    }

    /// Adds a word. One that a number counts is added in the singular: `2 required arguments were given`.
    fn counted(&mut self, word: &str) {
        let is_counted = self.words_after_number < MAX_COUNTED && word.bytes().all(|byte| byte.is_ascii_lowercase());
        self.words_after_number = self.words_after_number.saturating_add(1);
        if is_counted && word == "were" {
            self.out.push_str("was");
        } else if is_counted && word.len() >= 4 {
            let singular = word.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'u', 'i'])).unwrap_or(word);
            match singular.strip_suffix("ie").filter(|_| singular.len() < word.len()) {
                Some(stem) => {
                    self.out.push_str(stem);
                    self.out.push('y');
                }
                None => self.out.push_str(singular),
            }
        } else {
            self.out.push_str(word);
        }
    }

    /// Replaces the variable parts of a URL, and removes its user, port, query and fragment.
    fn url(&mut self, start: usize, scheme: usize, end: usize) {
        let host_start = scheme + "://".len();
        self.out.push_str(&self.text[start..host_start]);
        let address = &self.text[host_start..end];
        let end = host_start + address.find(['?', '#']).unwrap_or(address.len());
        let path_start = self.text[host_start..end].find('/').map_or(end, |at| host_start + at);
        let host_start = self.text[host_start..path_start].rfind('@').map_or(host_start, |at| host_start + at + 1);
        let host_end = self.text[host_start..path_start].rfind(':').map_or(path_start, |at| host_start + at);
        self.pieces(host_start, host_end);
        let mut segment_start = path_start;
        while segment_start < end {
            let next = self.text[segment_start + 1..end].find('/').map_or(end, |at| segment_start + 1 + at);
            if self.text[segment_start..next].contains('%') {
                self.out.push('/');
                self.put(NUMBER);
            } else {
                self.pieces(segment_start, next);
            }
            segment_start = next;
        }
    }

    /// Adds the letters and digits between two positions, each run of them as it is or as a placeholder.
    fn pieces(&mut self, start: usize, end: usize) {
        // The query of a path, such as `/books?page=2`.
        let is_path = self.byte(start) == Some(b'/');
        let query = if is_path { self.text[start..end].find('?') } else { None };
        let end = query.map_or(end, |at| start + at);
        let mut at = start;
        // The run before the current one, if only `-` or `_` is between them.
        let mut before = "";
        while at < end {
            let byte = self.bytes[at];
            if !is_word_byte(byte) {
                let is_sign = at == start && matches!(byte, b'-' | b'+') && self.byte(at + 1).is_some_and(is_digit);
                match byte {
                    _ if is_sign => {}
                    b'\\' => self.out.push('/'),
                    _ => self.out.push(char::from(byte)),
                }
                if !matches!(byte, b'-' | b'_' | b'/') {
                    before = "";
                }
                at += 1;
                continue;
            }
            let length = self.bytes[at..end].iter().take_while(|byte| is_word_byte(**byte)).count();
            let piece = &self.text[at..at + length];
            let is_fresh = at == start || !matches!(self.bytes[at - 1], b':' | b'.');
            at += self.piece(piece, &self.text[at..end], before, is_fresh);
            before = piece;
        }
    }

    /// Adds one run of letters and digits, or more if a number, a time or an address goes on after it.
    ///
    /// Returns the number of bytes that it read.
    fn piece(&mut self, piece: &'a str, rest: &'a str, before: &str, is_fresh: bool) -> usize {
        // The names of pods end with two ids: `shop-5d4f7c9b6-x2x9k`.
        let follows_id = piece.len() <= 5 && random(before) && !self.out.ends_with('/');
        if follows_id && (piece.len() == 5 || piece.bytes().any(|byte| byte.is_ascii_uppercase())) {
            self.put(NUMBER);
            return piece.len();
        }
        if !piece.bytes().any(is_digit) && piece.len() != 8 {
            self.out.push_str(piece);
            return piece.len();
        }
        if let Some(length) = uuid(rest) {
            self.put(NUMBER);
            return length;
        }
        if let Some(hex) = piece.strip_prefix("0x").filter(|hex| !hex.is_empty()) {
            if hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.put(ADDRESS);
                return piece.len();
            }
        }
        let starts_with_digit = piece.as_bytes().first().copied().is_some_and(is_digit);
        if let Some(version) = version(rest) {
            self.put(NUMBER);
            return version;
        }
        if !starts_with_digit {
            self.mixed(piece);
            return piece.len();
        }
        if is_standard(before) && piece.len() <= 4 {
            self.out.push_str(piece);
            return piece.len();
        }
        if is_fresh && let Some(length) = time(rest) {
            self.put(TIME);
            return length;
        }
        if is_fresh && let Some(length) = ipv4(rest) {
            self.put("{ip}");
            return length;
        }
        self.number(piece, rest)
    }

    /// Adds a number with its unit, or a word that starts with a digit.
    fn number(&mut self, piece: &str, rest: &str) -> usize {
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|byte| is_digit(**byte)).count();
        let mut at = digits(0);
        while bytes.get(at) == Some(&b'.') && bytes.get(at + 1).copied().is_some_and(is_digit) {
            at += 1 + digits(at + 1);
        }
        if matches!(bytes.get(at), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
            let exponent = if at + 1 + sign <= bytes.len() { digits(at + 1 + sign) } else { 0 };
            let end = at + 1 + sign + exponent;
            if exponent > 0 && !bytes.get(end).copied().is_some_and(is_word_byte) {
                at = end;
            }
        }
        let letters =
            |from: usize| bytes[from..].iter().take_while(|byte| is_word_byte(**byte) && !is_digit(**byte)).count();
        let suffix = letters(at);
        let end = at + suffix;
        let goes_on = bytes.get(end).copied().is_some_and(is_digit);
        let name = rest.get(at..end).unwrap_or_default();
        if matches!(name, "" | "st" | "nd" | "rd" | "th") && !goes_on {
            self.put(NUMBER);
            return end;
        }
        if !name.is_ascii() && unit(name).is_none() {
            self.put(NUMBER);
            return at;
        }
        let is_hash = name.len() == 1 && piece.len() >= 7 && random(piece);
        let Some(unit) = unit(name).filter(|_| !is_hash) else {
            self.mixed(piece);
            return piece.len();
        };
        // Go writes several units at once: `1h2m3.5s`.
        let mut all = end;
        while goes_on && unit == Unit::Duration {
            let number = bytes[all..].iter().take_while(|byte| is_digit(**byte) || **byte == b'.').count();
            let next = all + number + letters(all + number);
            let unit_of_next = self::unit(rest.get(all + number..next).unwrap_or_default());
            if number == 0 || unit_of_next != Some(Unit::Duration) {
                break;
            }
            all = next;
        }
        if bytes.get(all).copied().is_some_and(is_word_byte) {
            self.mixed(piece);
            return piece.len();
        }
        self.put(unit.placeholder());
        all
    }

    /// Adds a word with digits: a number or an id as a placeholder, long numbers in it as placeholders, others as is.
    fn mixed(&mut self, word: &str) {
        if word.bytes().all(is_digit) {
            self.put(NUMBER);
            return;
        }
        if random(word) {
            self.put(NUMBER);
            return;
        }
        let digits = word.bytes().filter(|byte| is_digit(*byte)).count();
        let is_code = word.len() <= 10 && !word.bytes().any(|byte| byte.is_ascii_lowercase());
        if word.is_ascii() && (digits < 4 || is_code) {
            self.out.push_str(word);
            return;
        }
        let mut is_in_number = false;
        for character in word.chars() {
            let is_digit = character.is_ascii_digit();
            match (is_digit, is_in_number) {
                (true, false) => self.out.push_str(NUMBER),
                (true, true) => {}
                (false, _) => self.out.push(character),
            }
            is_in_number = is_digit;
        }
    }

    /// Adds a placeholder. A list of equal ones becomes one.
    fn put(&mut self, placeholder: &'static str) {
        const BETWEEN: [&str; 5] = [", ", ",", " ", ".", " and "];
        let follows = |of: &str| {
            BETWEEN.iter().any(|between| self.out.strip_suffix(between).is_some_and(|list| list.ends_with(of)))
        };
        let belongs_to_date = placeholder == NUMBER && self.is_in_date && follows(TIME);
        if belongs_to_date || follows(placeholder) {
            let list = self.out.strip_suffix(" and ").unwrap_or(&self.out);
            let end = list.trim_end_matches([',', ' ', '.']).len();
            self.out.truncate(end);
            return;
        }
        self.is_in_date = false;
        if placeholder == NUMBER {
            self.words_after_number = 0;
        }
        self.out.push_str(placeholder);
    }
}

/// Standards whose names have a number of their own: `UTF-8`, `SHA-256`, `HTTP/2`, `ORA-00942`.
fn is_standard(name: &str) -> bool {
    const NAMES: [&str; 14] =
        ["utf", "iso", "sha", "sha3", "aes", "rsa", "tls", "ssl", "http", "rfc", "cp", "ucs", "latin", "windows"];
    NAMES.iter().any(|standard| name.eq_ignore_ascii_case(standard))
}

fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Returns whether a byte belongs to a word. All bytes of characters outside of ASCII do.
fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || !byte.is_ascii()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_become_placeholders() {
        let cases = [
            ("order 17 failed", "order {n} failed"),
            ("K8s and S3 are unreachable, oauth2 v2 utf8", "K8s and S3 are unreachable, oauth2 v2 utf8"),
            ("user 550e8400-e29b-41d4-a716-446655440000 is gone", "user {n} is gone"),
            ("commit 3f2a1b9 of main", "commit {n} of main"),
            ("mail to jane.doe+x@shop.example failed", "mail to {email} failed"),
            ("connect 10.0.0.17:5432 refused", "connect {ip} refused"),
            ("no route to fe80::1ff:fe23:4567:890a", "no route to {ip}"),
            ("card 00:1B:44:11:3A:B7 lost", "card {mac} lost"),
            ("GET https://u:p@api.example:8443/v2/users/17/a%20b?x=1#y", "GET https://api.example/v2/users/{n}/{n}"),
            ("took 1.5 seconds", "took {duration}"),
            ("took 1m3.5s, not 20ms", "took {duration}, not {duration}"),
            ("10 MB of 2KiB", "{size} of {size}"),
            ("at 2026-11-27T10:00:00.5Z", "at {time}"),
            ("at 2026-11-27 10:00:00,123 UTC", "at {time}"),
            ("since Fri, 27 Nov 2026 10:00:00 GMT", "since {time}"),
            ("no column 'a b' in \"books\"", "no column {text} in {text}"),
            ("can't find user's book", "can't find user's book"),
            ("read /srv/data/1234/x.csv", "read /srv/data/{n}/x.csv"),
            ("<Book object at 0x7ff843769c40>", "<Book object at {address}>"),
            ("ids [1, 2, 3] are gone", "ids [{n}] are gone"),
            ("3 items left", "{n} item left"),
            ("takes 2 positional arguments but 3 were given", "takes {n} positional argument but {n} was given"),
            ("build v1.2.3 of v2 at 17.5°C", "build {n} of v2 at {n}°C"),
            ("订单17失败", "订单{n}失败"),
            ("pod shop-5d4f7c9b6-x2x9k", "pod shop-{n}-{n}"),
            ("video dQw4w9WgXcQ in Base64Utf8Decoder", "video {n} in Base64Utf8Decoder"),
            ("bad u'a' and 'b'", "bad {text}"),
            ("[::1]:5432 refused", "{ip} refused"),
            ("Key (id)=(42) exists.", "Key (id)=({n}) exist"),
            ("version 1.22.3, UTF-8, -5, 1e-7, 3rd", "version {n}, UTF-8, {n}"),
            ("user_17 of order-99 and cus_9s6XKzkNRiz8i3", "user_{n} of order-{n} and cus_{n}"),
            ("“Bücher” für 3 €", "{text} für {n} €"),
            ("E11000 duplicate, TS2345", "E11000 duplicate, TS2345"),
            ("undefined method `title' for nil", "undefined method {text} for nil"),
            ("a\n  b", "a b"),
        ];
        for (text, normal) in cases {
            assert_eq!(normalise(text), normal, "{text}");
        }
    }

    #[test]
    fn odd_texts_are_read_to_their_end() {
        let odd = [
            "", "'", "''", "`", "“", "”", "’", "«a", "://", "a://", "?", "\u{0}", "1e", "1e+", "1h2", "+", "-", "\\",
            "0x", "@", "::", "é1é", "1.", "...", "…",
        ];
        for one in odd {
            for other in odd {
                normalise(&format!("{one}{other}"));
                normalise(&format!("{one} {other}"));
                normalise_path(&format!("{one}/{other}"));
            }
        }
        assert_eq!(normalise(&"'".repeat(5_000)).len(), normalise(&"'".repeat(1_000)).len());
    }
}

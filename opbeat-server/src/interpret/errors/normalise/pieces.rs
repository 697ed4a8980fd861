//! Runs of letters and digits: words, numbers with their units, ids, times and addresses.

use super::output::{ADDRESS, IP, NUMBER, Output, TIME, is_word_byte};
use super::patterns::{Unit, ipv4, random, time, unit, uuid, version};

/// Adds a URL without its user, port, query and fragment. `scheme` is the length of its scheme.
pub(super) fn add_url(output: &mut Output, url: &str, scheme: usize) {
    let (start, address) = url.split_at(scheme + "://".len());
    output.push_str(start);
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let (host, path) = address.split_at(address.find('/').unwrap_or(address.len()));
    let host = host.rsplit('@').next().unwrap_or_default();
    add(output, host.rsplit_once(':').map_or(host, |(name, _)| name));
    for segment in path.split('/').skip(1) {
        output.push('/');
        // Encoded characters are in values, hardly in names.
        if segment.contains('%') { output.put(NUMBER) } else { add(output, segment) }
    }
}

/// Adds a text without spaces: its variable parts as placeholders, all other parts as they are.
pub(super) fn add(output: &mut Output, text: &str) {
    // The query of a path, such as `/books?page=2`, varies.
    let text = if text.starts_with('/') { text.split('?').next().unwrap_or_default() } else { text };
    let bytes = text.as_bytes();
    let mut at = 0;
    // The run before the current one, if only `-`, `_` or `/` is between them.
    let mut before = "";
    while let Some(byte) = bytes.get(at).copied() {
        if is_word_byte(byte) {
            let length = bytes[at..].iter().take_while(|byte| is_word_byte(**byte)).count();
            let piece = &text[at..at + length];
            let is_fresh = at == 0 || !matches!(bytes[at - 1], b':' | b'.');
            at += add_piece(output, piece, &text[at..], before, is_fresh);
            before = piece;
            continue;
        }
        let is_sign = at == 0 && matches!(byte, b'-' | b'+') && bytes.get(1).is_some_and(u8::is_ascii_digit);
        match byte {
            _ if is_sign => {}
            b'\\' => output.push('/'),
            _ => output.push(char::from(byte)),
        }
        if !matches!(byte, b'-' | b'_' | b'/') {
            before = "";
        }
        at += 1;
    }
}

/// Adds one run of letters and digits, or more if a number, a time or an address goes on after it.
///
/// Returns the number of bytes that it read.
fn add_piece(output: &mut Output, piece: &str, rest: &str, before: &str, is_fresh: bool) -> usize {
    // The names of pods end with two ids: `shop-5d4f7c9b6-x2x9k`.
    let follows_id = piece.len() <= 5 && random(before) && !output.ends_with('/');
    if follows_id && (piece.len() == 5 || piece.bytes().any(|byte| byte.is_ascii_uppercase())) {
        output.put(NUMBER);
        return piece.len();
    }
    if !piece.bytes().any(is_digit) && piece.len() != 8 {
        output.push_str(piece);
        return piece.len();
    }
    if let Some(length) = uuid(rest) {
        output.put(NUMBER);
        return length;
    }
    let is_hex = |hex: &str| !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
    if piece.strip_prefix("0x").is_some_and(is_hex) {
        output.put(ADDRESS);
        return piece.len();
    }
    let starts_with_digit = piece.as_bytes().first().copied().is_some_and(is_digit);
    if let Some(version) = version(rest) {
        output.put(NUMBER);
        return version;
    }
    if !starts_with_digit {
        add_mixed(output, piece);
        return piece.len();
    }
    if is_standard(before) && piece.len() <= 4 {
        output.push_str(piece);
        return piece.len();
    }
    if is_fresh && let Some(length) = time(rest) {
        output.put(TIME);
        return length;
    }
    if is_fresh && let Some(length) = ipv4(rest) {
        output.put(IP);
        return length;
    }
    add_number(output, piece, rest)
}

/// Adds a number with its unit, or a word that starts with a digit.
fn add_number(output: &mut Output, piece: &str, rest: &str) -> usize {
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
        output.put(NUMBER);
        return end;
    }
    if !name.is_ascii() && unit(name).is_none() {
        output.put(NUMBER);
        return at;
    }
    let is_hash = name.len() == 1 && piece.len() >= 7 && random(piece);
    let Some(unit) = unit(name).filter(|_| !is_hash) else {
        add_mixed(output, piece);
        return piece.len();
    };
    let all = if goes_on && unit == Unit::Duration { end_of_durations(rest, end) } else { end };
    if bytes.get(all).copied().is_some_and(is_word_byte) {
        add_mixed(output, piece);
        return piece.len();
    }
    output.put(unit.placeholder());
    all
}

/// Returns the end of durations with several units, as Go writes them: `1h2m3.5s`. `start` is the end of the first.
fn end_of_durations(text: &str, start: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = start;
    loop {
        let number = bytes[end..].iter().take_while(|byte| is_digit(**byte) || **byte == b'.').count();
        let unit_start = end + number;
        let letters = bytes[unit_start..].iter().take_while(|byte| is_word_byte(**byte) && !is_digit(**byte)).count();
        let next = unit_start + letters;
        if number == 0 || text.get(unit_start..next).and_then(unit) != Some(Unit::Duration) {
            return end;
        }
        end = next;
    }
}

/// Adds a word with digits: a number or an id as a placeholder, long numbers in it as placeholders, others as is.
fn add_mixed(output: &mut Output, word: &str) {
    if word.bytes().all(is_digit) {
        output.put(NUMBER);
        return;
    }
    if random(word) {
        output.put(NUMBER);
        return;
    }
    let digits = word.bytes().filter(|byte| is_digit(*byte)).count();
    let is_code = word.len() <= 10 && !word.bytes().any(|byte| byte.is_ascii_lowercase());
    if word.is_ascii() && (digits < 4 || is_code) {
        output.push_str(word);
        return;
    }
    let mut is_in_number = false;
    for character in word.chars() {
        let is_digit = character.is_ascii_digit();
        match (is_digit, is_in_number) {
            (true, false) => output.push_str(NUMBER),
            (true, true) => {}
            (false, _) => output.push(character),
        }
        is_in_number = is_digit;
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

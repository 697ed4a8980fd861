//! Secrets that follow a mark, and whose form needs more than a prefix.

use std::ops::Range;

use crate::escapes;
use crate::rules::REDACTED;

/// A mark, and the function that finds the secret from the position of the mark.
pub(super) struct Mark {
    pub(super) text: &'static str,
    pub(super) secret: fn(&str, usize) -> Option<Range<usize>>,
}

const BEARER: &str = "earer ";
const BASIC: &str = "asic ";
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// The text in front of a secret, or its first characters.
pub(super) const MARKS: &[Mark] = &[
    Mark { text: BEARER, secret: bearer },
    Mark { text: BASIC, secret: basic },
    Mark { text: "eyJ", secret: signed },
    Mark { text: PRIVATE_KEY, secret: private_key },
    Mark { text: ":AA", secret: bot },
];

/// The minimum length of a bearer token. Shorter ones are ordinary words.
const MIN_TOKEN: usize = 8;

/// Returns the token of an `Authorization` header (RFC 6750).
fn bearer(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + BEARER.len();
    let token = &text[start..start + length_of(&text[start..], b"-_.~+/=")];
    let is_token = token.len() >= MIN_TOKEN && token.contains(|c: char| c.is_ascii_digit());
    is_token.then(|| start..start + token.len())
}

/// Returns the credentials of an `Authorization` header (RFC 7617): a user, a colon and a password, in Base64.
fn basic(text: &str, at: usize) -> Option<Range<usize>> {
    let start = at + BASIC.len();
    let length = length_of(&text[start..], b"+/=-_");
    let mut has_colon = false;
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text[start..start + length].bytes().take_while(|byte| *byte != b'=') {
        let sextet = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        (bits, count) = ((bits << 6) | u32::from(sextet), count + 6);
        if count >= 8 {
            count -= 8;
            let decoded = (bits >> count) & 0xff;
            // Words such as `authentication` decode to control characters, and mostly to no colon.
            if decoded < 0x20 || decoded == 0x7f {
                return None;
            }
            has_colon |= decoded == u32::from(b':');
        }
    }
    has_colon.then(|| start..start + length)
}

/// Returns a signed or encrypted token (RFC 7519).
fn signed(text: &str, start: usize) -> Option<Range<usize>> {
    let is_inside = text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if is_inside && escapes::at_end(&text.as_bytes()[..start]) == 0 {
        return None;
    }
    let token = &text[start..start + length_of(&text[start..], b"-_.")];
    // An unsigned token ends with its second full stop. A further one ends the sentence.
    let shorter = token.strip_suffix('.').filter(|shorter| dots(shorter) >= 2);
    let token = shorter.unwrap_or(token);
    (2..=4).contains(&dots(token)).then(|| start..start + token.len())
}

fn dots(token: &str) -> usize {
    token.bytes().filter(|byte| *byte == b'.').count()
}

/// Returns the secret part of a Telegram bot's token: a number, a colon, and 35 characters ("Telegram Bot API").
fn bot(text: &str, colon: usize) -> Option<Range<usize>> {
    const MIN_NUMBER: usize = 6;
    const MIN_SECRET: usize = 30;
    let number = text.as_bytes()[..colon].iter().rev().take(MIN_NUMBER).take_while(|byte| byte.is_ascii_digit());
    let length = length_of(&text[colon + 1..], b"-_");
    (number.count() == MIN_NUMBER && length >= MIN_SECRET).then(|| colon + 1..colon + 1 + length)
}

/// Returns the content of a private key (RFC 7468; RFC 9580 for a `BLOCK`).
fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
    let after = &text[at + PRIVATE_KEY.len()..];
    let rest = after.strip_prefix(" BLOCK").unwrap_or(after).strip_prefix("-----")?;
    let start = text.len() - rest.len();
    let head = &text.as_bytes()[at.saturating_sub(24)..at];
    let is_begin = head.windows(10).any(|window| window == b"-----BEGIN");
    if !is_begin || text[start..].trim_start().starts_with(REDACTED) {
        return None;
    }
    let length = text[start..].find("-----").unwrap_or(text.len() - start);
    (length > 0).then(|| start..start + length)
}

fn length_of(text: &str, others: &[u8]) -> usize {
    text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || others.contains(byte)).count()
}

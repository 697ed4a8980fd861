//! Tokens that are recognised by their form.

use std::borrow::Cow;
use std::ops::Range;

use crate::rules::REDACTED;

/// The text that a token starts with, or that precedes it.
const MARKS: [&str; 3] = ["earer ", "eyJ", "PRIVATE KEY-----"];

/// The minimum length of a bearer token. Shorter ones are ordinary words.
const MIN_TOKEN: usize = 8;

/// Masks bearer tokens, signed tokens (RFC 7519) and private keys (RFC 7468).
pub(super) fn mask(text: &str) -> Cow<'_, str> {
    // Most texts contain no token: one pass over the bytes avoids the search for each mark.
    if !text.as_bytes().windows(3).any(|part| matches!(part, b"rer" | b"eyJ" | b"KEY")) {
        return Cow::Borrowed(text);
    }
    let mut masked = Cow::Borrowed(text);
    for mark in MARKS {
        if masked.contains(mark) {
            masked = Cow::Owned(mask_behind(mark, &masked));
        }
    }
    masked
}

fn mask_behind(mark: &str, text: &str) -> String {
    let (mut masked, mut done) = (String::new(), 0);
    for (at, _) in text.match_indices(mark) {
        let secret = if at < done { None } else { secret(mark, text, at) };
        if let Some(secret) = secret {
            masked.push_str(&text[done..secret.start]);
            masked.push_str(REDACTED);
            done = secret.end;
        }
    }
    masked + &text[done..]
}

fn secret(mark: &str, text: &str, at: usize) -> Option<Range<usize>> {
    match mark {
        "earer " => bearer(text, at + mark.len()),
        "eyJ" => signed(text, at),
        _ => private_key(text, at, at + mark.len()),
    }
}

fn bearer(text: &str, start: usize) -> Option<Range<usize>> {
    let token = &text[start..start + length_of(&text[start..], b"-_.~+/=")];
    let is_token = token.len() >= MIN_TOKEN && token.contains(|c: char| c.is_ascii_digit());
    is_token.then(|| start..start + token.len())
}

fn signed(text: &str, start: usize) -> Option<Range<usize>> {
    if text[..start].ends_with(|c: char| c.is_ascii_alphanumeric() || "-_.".contains(c)) {
        return None;
    }
    let token = &text[start..start + length_of(&text[start..], b"-_.")];
    let dots = token.bytes().filter(|byte| *byte == b'.').count();
    (2..=4).contains(&dots).then(|| start..start + token.len())
}

fn private_key(text: &str, at: usize, start: usize) -> Option<Range<usize>> {
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

//! Pairs and URLs in percent-encoded text: `next=%2Fcb%3Ftoken%3Dabc`.

use std::ops::Range;

/// The maximum length of a name and of the user and the password of a URL, in bytes.
const MAX_LENGTH: usize = 256;

/// The ends of an encoded value: `&`, `"`, `,`, `}`, `;`, line breaks and a space.
const ENDS: [&str; 9] = ["26", "22", "2C", "7D", "3B", "0A", "0D", "20", "27"];

/// Returns the value of a secret name, given the position of an encoded `=` or `:`.
pub(super) fn value(text: &str, at: usize, is_secret: impl Fn(&str) -> bool) -> Option<Range<usize>> {
    let after = after_escape(text, at, "3D").or_else(|| after_escape(text, at, "3A"))?;
    if !is_secret(name(&text[..at])) {
        return None;
    }
    let mut start = after;
    while let Some(next) = ["20", "22", "27"].iter().find_map(|gap| after_escape(text, start, gap)) {
        start = next;
    }
    // The scheme of an `Authorization` header, and a space.
    let scheme =
        ["Bearer%20", "Basic%20", "Bearer+", "Basic+"].iter().find(|scheme| text[start..].starts_with(**scheme));
    let from = start + scheme.map_or(0, |scheme| scheme.len());
    let end = from + length(&text[from..]);
    (from < end).then_some(start..end)
}

/// Returns the password of a URL, given the position of its encoded `:`.
pub(super) fn credentials(text: &str, at: usize) -> Option<Range<usize>> {
    let slash = after_escape(text, after_escape(text, at, "3A")?, "2F")?;
    let begin = after_escape(text, slash, "2F")?;
    let rest = &text[begin..text.floor_char_boundary(begin + MAX_LENGTH)];
    let is_end = |at: &usize| ["2F", "3F", "23"].iter().any(|code| after_escape(rest, *at, code).is_some());
    let end = rest.bytes().position(|byte| b" &\"'<>\n\r\t/?#".contains(&byte)).unwrap_or(rest.len());
    let end = (0..end).find(is_end).unwrap_or(end);
    let host = (0..end).rev().find(|at| after_escape(rest, *at, "40").is_some())?;
    let colon = (0..host).find(|at| after_escape(rest, *at, "3A").is_some())?;
    (colon + "%3A".len() < host).then(|| begin + colon + "%3A".len()..begin + host)
}

/// Returns the end of the escape at `at`, if it is the escape of this code.
fn after_escape(text: &str, at: usize, code: &str) -> Option<usize> {
    let escape = text.as_bytes().get(at..at + 3)?;
    (escape[0] == b'%' && escape[1..].eq_ignore_ascii_case(code.as_bytes())).then_some(at + escape.len())
}

/// Returns the name at the end of the text, without the escapes around it.
fn name(text: &str) -> &str {
    let bytes = text.as_bytes();
    let mut end = text.len();
    while let Some(start) = end.checked_sub(3).filter(|start| {
        ["22", "27", "20", "5D"]
            .iter()
            .any(|code| text.is_char_boundary(*start) && after_escape(text, *start, code).is_some())
    }) {
        end = start;
    }
    let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_-.".contains(byte);
    let mut start = end - bytes[..end].iter().rev().take(MAX_LENGTH).take_while(is_part).count();
    // The digits of the escape in front of the name.
    if bytes[..start].ends_with(b"%") {
        start = (start + 2).min(end);
    }
    &text[start..end]
}

/// Returns the length of the value.
fn length(text: &str) -> usize {
    let is_end = |at: &usize| {
        let byte = text.as_bytes()[*at];
        byte.is_ascii_whitespace()
            || b"&\"'<>;,)]}\\".contains(&byte)
            || (byte == b'%' && ENDS.iter().any(|code| after_escape(text, *at, code).is_some()))
    };
    (0..text.len()).find(is_end).unwrap_or(text.len())
}

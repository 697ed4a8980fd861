//! The extent of quoted and bracketed text.

use std::ops::Range;

/// Quotes as markup, JSON and URLs write them.
const WRITTEN: [&str; 9] = ["&quot;", "&#34;", "&#39;", "&#x27;", "&apos;", "\\u0022", "\\u0027", "%22", "%27"];

/// Removes a written quote from the end of a text.
pub(super) fn without_written(text: &str) -> &str {
    // Nearly no text ends with these bytes, so that they are looked at first.
    let is_possible = text.ends_with([';', '2', '7']);
    WRITTEN.iter().filter(|_| is_possible).find_map(|quote| text.strip_suffix(quote)).unwrap_or(text)
}

/// Returns the range inside the quotes that open at `start`, if a quote opens there.
///
/// The opening quote may have backslashes in front, since quoted text may contain quoted text. A quote that is not
/// closed extends to the end of the text: the text may have been cut inside the quotes.
pub(crate) fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.as_bytes().get(start..)?;
    if let Some(quote) = WRITTEN.iter().find(|quote| rest.starts_with(quote.as_bytes())) {
        let from = start + quote.len();
        return Some(from..from + text[from..].find(quote).unwrap_or(text.len() - from));
    }
    let count = |bytes: &[u8], of: &[u8]| bytes.iter().take_while(|byte| of.contains(byte)).count();
    // Literals may have a prefix: `r#"…"#`, `b"…"`, `f'…'` in source code, `E'…'` in SQL.
    let prefix = count(&rest[..rest.len().min(3)], b"rbufeRBUFEN#");
    let slashes = count(&rest[prefix..], b"\\");
    let open = prefix + slashes;
    let quote = *rest.get(open).filter(|byte| b"\"'`".contains(byte))?;
    let from = start + open + 1;
    let triple = [quote; 3];
    if slashes == 0 && rest[open..].starts_with(&triple) {
        let inner = from + 2;
        let length = text.as_bytes()[inner..].windows(3).position(|window| window == triple);
        if let Some(length) = length.filter(|length| *length > 0) {
            return Some(inner..inner + length);
        }
    }
    Some(from..closing(text.as_bytes(), from, quote, slashes).start)
}

/// Returns the range of the closing quote.
///
/// It has as many backslashes in front as the opening quote, or more that escape each other.
fn closing(bytes: &[u8], from: usize, quote: u8, slashes: usize) -> Range<usize> {
    let (mut at, mut run) = (from, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => run += 1,
            byte if byte == quote && closes(run, slashes) => {
                // SQL escapes a quote by doubling it.
                let is_doubled = quote == b'\'' && slashes == 0 && at > from && bytes.get(at + 1) == Some(&quote);
                if !is_doubled {
                    return at - run.min(slashes)..at + 1;
                }
                (at, run) = (at + 1, 0);
            }
            _ => run = 0,
        }
        at += 1;
    }
    bytes.len()..bytes.len()
}

/// Returns whether a quote after `run` backslashes closes one that was opened after `slashes` backslashes.
///
/// Quoting a text doubles each backslash, and adds one in front of each quote.
fn closes(run: usize, slashes: usize) -> bool {
    run <= slashes || ((run - slashes) / (slashes + 1)).is_multiple_of(2)
}

/// Returns the range inside the bracket that opens at `open`.
pub(super) fn inside(text: &str, open: usize) -> Range<usize> {
    let end = bracketed(text, open);
    open + 1..end - usize::from(end > open + 1 && text[..end].ends_with([')', ']', '}']))
}

/// Returns the end of the bracket that opens at `open`, or the end of the text. Brackets in quotes are ignored.
pub(super) fn bracketed(text: &str, open: usize) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut slashes) = (open, 0_usize, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        at += 1;
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' if depth == 1 => return at,
            b')' | b']' | b'}' => depth -= 1,
            b'"' => at = closing(bytes, at, byte, slashes).end,
            // After any other byte, such as a letter, `'` is an apostrophe.
            b'\'' if b"([{,:= \n\\".contains(&bytes[at - 2]) => at = closing(bytes, at, byte, slashes).end,
            _ => {}
        }
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
    }
    bytes.len()
}

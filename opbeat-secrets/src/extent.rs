//! How far quotes and brackets reach.

use std::ops::Range;

/// Returns the start of a text, of so many bytes at the most.
pub fn start(text: &str, most: usize) -> &str {
    let most = most.min(text.len());
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    &text[..end]
}

/// Returns what stands in the quotes that open at a place, if some do.
///
/// Backslashes may stand in front of them, since text is quoted within text. Quotes that nothing closes reach to the end:
/// what was cut off may have gone on.
pub(super) fn quoted(text: &str, start: usize) -> Option<Range<usize>> {
    let rest = text.as_bytes().get(start..)?;
    let count = |bytes: &[u8], of: &[u8]| bytes.iter().take_while(|byte| of.contains(byte)).count();
    // Literals in source have letters in front: `r#"…"#`, `b"…"`, `f'…'`.
    let prefix = count(&rest[..rest.len().min(3)], b"rbufRBUF#");
    let slashes = count(&rest[prefix..], b"\\");
    let open = prefix + slashes;
    let quote = *rest.get(open).filter(|byte| b"\"'`".contains(byte))?;
    let from = start + open + 1;
    Some(from..closing(text.as_bytes(), from, quote, slashes).start)
}

/// Finds the quote that closes what another opened: it has as many backslashes in front, or more that escape each other.
fn closing(bytes: &[u8], from: usize, quote: u8, slashes: usize) -> Range<usize> {
    let (mut at, mut run) = (from, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => run += 1,
            byte if byte == quote && closes(run, slashes) => {
                // SQL writes a quote twice to mean it.
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

/// In text that was quoted before, each backslash has become two, and one more stands in front of each quote.
fn closes(run: usize, slashes: usize) -> bool {
    run <= slashes || ((run - slashes) / (slashes + 1)).is_multiple_of(2)
}

/// Returns what stands in the bracket that opens at a place.
pub(super) fn inside(text: &str, open: usize) -> Range<usize> {
    let end = bracketed(text, open);
    open + 1..end - usize::from(end > open + 1 && text[..end].ends_with([')', ']', '}']))
}

/// Returns where the bracket closes that opens at a place, or the text's end. Brackets in quotes don't count.
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
            // Between letters it is an apostrophe.
            b'\'' if b"([{,:= \n\\".contains(&bytes[at - 2]) => at = closing(bytes, at, byte, slashes).end,
            _ => {}
        }
        slashes = if byte == b'\\' { slashes + 1 } else { 0 };
    }
    bytes.len()
}

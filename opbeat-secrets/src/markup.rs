//! Values between tags, and in the parts of forms.

use std::ops::Range;

use super::REDACTED;
use super::extent::start;
use super::value::is_worth;

/// No tag and no head of a part is longer.
const MAX_HEAD: usize = 256;

const CDATA: &str = "<![CDATA[";

/// Returns the name of the element that begins at a place, and where its content does.
pub(super) fn element(text: &str, at: usize) -> Option<(&str, usize)> {
    let inside = start(&text[at + 1..], MAX_HEAD);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let name = &inside[..inside.find(|c: char| !is_part(c))?];
    let tag = inside.find('>').filter(|tag| !name.is_empty() && !inside[..*tag].ends_with('/'))?;
    Some((name.rsplit(':').next().unwrap_or(name), at + 1 + tag + 1))
}

/// Finds an element's content, given its start. It has no elements in it.
pub(super) fn content(text: &str, from: usize) -> Option<Range<usize>> {
    if text[from..].starts_with(CDATA) {
        return until(text, from + CDATA.len(), "]]>");
    }
    let end = from + text[from..].find('<')?;
    let is_closed = text[end..].starts_with("</");
    (is_closed && is_worth(text[from..end].trim())).then_some(from..end)
}

/// Finds the value of a form's part, given the place behind its name: it lies behind an empty line.
pub(super) fn part(text: &str, from: usize) -> Option<Range<usize>> {
    let head = start(&text[from..], MAX_HEAD);
    // Printed with escapes, a body has its line breaks in letters.
    let breaks = [("\r\n\r\n", "\r\n--"), ("\n\n", "\n--"), ("\\r\\n\\r\\n", "\\r\\n--")];
    let (at, empty, boundary) =
        breaks.iter().find_map(|(empty, boundary)| Some((head.find(empty)?, empty, boundary)))?;
    until(text, from + at + empty.len(), boundary)
}

/// Finds what goes on until a mark, or until the end of the text. What is removed already is not searched again.
fn until(text: &str, from: usize, mark: &str) -> Option<Range<usize>> {
    let rest = Some(&text[from..]).filter(|rest| !rest.starts_with(REDACTED))?;
    let end = from + rest.find(mark).unwrap_or(rest.len());
    is_worth(&text[from..end]).then_some(from..end)
}

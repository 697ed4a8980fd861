//! Values in XML elements and in the parts of multipart forms.

use std::ops::Range;

use super::value::is_removable;
use crate::rules::REDACTED;

/// The maximum length of a tag and of the headers of a form part, in bytes. Longer ones are not searched.
const MAX_HEAD: usize = 256;

const CDATA: &str = "<![CDATA[";

/// Returns the name of the element that starts at `at`, and the start of its content.
pub(super) fn element(text: &str, at: usize) -> Option<(&str, usize)> {
    let inside = first_bytes(&text[at + 1..]);
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    let name = &inside[..inside.find(|c: char| !is_part(c))?];
    let tag = inside.find('>').filter(|tag| !name.is_empty() && !inside[..*tag].ends_with('/'))?;
    Some((name.rsplit(':').next().unwrap_or(name), at + 1 + tag + 1))
}

/// Returns the content of an element, given its start. Returns `None` if the element contains other elements.
pub(super) fn content(text: &str, from: usize) -> Option<Range<usize>> {
    if text[from..].starts_with(CDATA) {
        return until(text, from + CDATA.len(), "]]>");
    }
    let end = from + text[from..].find('<')?;
    let is_closed = text[end..].starts_with("</");
    (is_closed && is_removable(text[from..end].trim())).then_some(from..end)
}

/// Returns the name of an element whose tag is escaped, and the start of its content: `&lt;pin&gt;1&lt;/pin&gt;`.
pub(super) fn escaped_element(text: &str, at: usize) -> Option<(&str, usize)> {
    let inside = first_bytes(text[at..].strip_prefix("&lt;")?);
    let (tag, _) = inside.split_once("&gt;")?;
    let name = tag.split(' ').next().unwrap_or(tag);
    Some((name.rsplit(':').next().unwrap_or(name), at + "&lt;".len() + tag.len() + "&gt;".len()))
}

/// Returns the content of an element whose tag is escaped, given its start.
pub(super) fn escaped_content(text: &str, from: usize) -> Option<Range<usize>> {
    until(text, from, "&lt;")
}

/// Returns the content of the element after one whose content is the name, given the start of the name:
/// `<key>pin</key><string>1</string>`, `<name>pin</name><value><int>1</int></value>`.
pub(super) fn value_after_name(text: &str, name_end: usize) -> Option<Range<usize>> {
    let head = first_bytes(&text[name_end..]);
    let mut rest = &head[head.find('>')? + 1..];
    for _ in 0..2 {
        let tag = rest.trim_start();
        if !tag.starts_with('<') || tag.starts_with("</") {
            break;
        }
        rest = &tag[tag.find('>')? + 1..];
    }
    let start = name_end + head.len() - rest.len();
    (start > name_end).then(|| content(text, start))?
}

/// Returns the value of a form part, given the end of its name. The value follows an empty line.
pub(super) fn part(text: &str, from: usize) -> Option<Range<usize>> {
    let head = first_bytes(&text[from..]);
    // A body that was printed with escapes contains `\r\n` as four characters.
    let breaks = [("\r\n\r\n", "\r\n--"), ("\n\n", "\n--"), ("\\r\\n\\r\\n", "\\r\\n--")];
    let (at, empty, boundary) =
        breaks.iter().find_map(|(empty, boundary)| Some((head.find(empty)?, empty, boundary)))?;
    until(text, from + at + empty.len(), boundary)
}

/// Returns the text up to a mark, or up to the end of the text. Removed values are not searched again.
fn until(text: &str, from: usize, mark: &str) -> Option<Range<usize>> {
    let rest = Some(&text[from..]).filter(|rest| !rest.starts_with(REDACTED))?;
    let end = from + rest.find(mark).unwrap_or(rest.len());
    is_removable(&text[from..end]).then_some(from..end)
}

/// Returns the first [`MAX_HEAD`] bytes of a text.
fn first_bytes(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_HEAD)]
}

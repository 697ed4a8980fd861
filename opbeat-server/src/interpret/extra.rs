//! The further values of a span, within a number of bytes.

use serde_json::{Map, Value};

/// The largest size of a span's further values, in bytes of JSON.
const MAX_BYTES: usize = 16 << 10;

/// The key with the number of values that are left out.
const LEFT_OUT: &str = "…";

/// The bytes that the number of values that are left out takes at most.
const RESERVED: usize = 64;

/// Removes the values that do not fit. Pages show the query and the URL, which are therefore cut and never removed.
pub(super) fn limit(extra: Map<String, Value>) -> Map<String, Value> {
    if extra.iter().map(|(key, value)| entry_size(key, value)).sum::<usize>() <= MAX_BYTES - RESERVED {
        return extra;
    }
    let mut left = MAX_BYTES - RESERVED;
    let mut kept = Map::new();
    let (mut first, rest): (Vec<_>, Vec<_>) =
        extra.into_iter().partition(|(key, _)| matches!(key.as_str(), "sql" | "url" | "status"));
    first.extend(rest);
    let mut left_out = 0_u64;
    for (key, mut value) in first {
        if let Value::String(text) = &mut value
            && matches!(key.as_str(), "sql" | "url")
        {
            // Half of the room, so that both have some.
            cut_to_bytes(text, left / 2);
        }
        match left.checked_sub(entry_size(&key, &value)) {
            Some(rest) => {
                left = rest;
                kept.insert(key, value);
            }
            None => left_out += 1,
        }
    }
    if left_out > 0 {
        kept.insert(LEFT_OUT.to_owned(), left_out.into());
    }
    kept
}

/// Cuts a text to a number of bytes of JSON.
fn cut_to_bytes(text: &mut String, max: usize) {
    let mut size = 2;
    let end = text.char_indices().find(|(_, c)| {
        size += char_size(*c);
        size > max
    });
    if let Some((mut end, _)) = end {
        // The ellipsis takes three bytes.
        end = end.saturating_sub(3);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
}

fn entry_size(key: &str, value: &Value) -> usize {
    // The colon and the comma.
    text_size(key) + size(value) + 2
}

/// Returns the size of a value in bytes of JSON, or a little more.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 25,
        Value::String(text) => text_size(text),
        Value::Array(items) => items.iter().map(|item| size(item) + 1).sum::<usize>() + 2,
        Value::Object(map) => map.iter().map(|(key, value)| entry_size(key, value)).sum::<usize>() + 2,
    }
}

fn text_size(text: &str) -> usize {
    text.chars().map(char_size).sum::<usize>() + 2
}

fn char_size(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        _ if u32::from(c) < 0x20 => 6,
        _ => c.len_utf8(),
    }
}

//! Scrubs texts, and the values and keys of any JSON: old agents send `Authorization` and `Cookie` in plain text.

use std::borrow::Cow;

use opbeat_secrets::{REDACTED, Secrets, is_secret_name};
use serde_json::{Map, Value};

use super::clean;

/// The deepest nesting of values that is searched; no agent sends more. Deeper values are redacted.
const MAX_DEPTH: usize = 64;

/// The maximum length of an id that is only digits or a hash, in bytes.
const MAX_ID: usize = 64;

/// The smallest number that can be the number of a card.
const MIN_CARD: f64 = 1e12;

/// Removes secrets from an object.
pub(in crate::interpret) fn map(map: &mut Map<String, Value>) {
    scrub_map(map, 0);
}

/// Removes secrets from any value.
pub(in crate::interpret) fn value(value: &mut Value) {
    scrub_value(value, 0);
}

/// Removes secrets from a text.
pub(in crate::interpret) fn scrub_text(text: &mut String) {
    if let Cow::Owned(scrubbed) = clean::text(text, |text| Secrets::default().scrub(text)) {
        *text = scrubbed;
    }
}

/// Removes secrets from a text that may be missing.
pub(super) fn option(text: &mut Option<String>) {
    text.iter_mut().for_each(scrub_text);
}

/// Removes secrets from an id or a revision. Digits and hashes stay: some look like numbers of cards or like tokens.
pub(in crate::interpret) fn scrub_id(id: &mut String) {
    let is_plain = id.len() <= MAX_ID && id.bytes().all(|byte| byte.is_ascii_hexdigit() || b".-".contains(&byte));
    if !is_plain {
        scrub_text(id);
    }
}

/// Removes secrets from the literals of a source line.
pub(super) fn scrub_source(line: &mut String) {
    if let Cow::Owned(scrubbed) = clean::source(line, |line| Secrets::default().scrub_source(line)) {
        *line = scrubbed;
    }
}

fn scrub_map(map: &mut Map<String, Value>, depth: usize) {
    scrub_values(map, depth);
    scrub_keys(map);
}

/// Removes secrets from the keys of an object. Keys that become equal get a number, so that each keeps its value.
fn scrub_keys(map: &mut Map<String, Value>) {
    let secret = |key: &String| match clean::text(key, |key| Secrets::default().scrub(key)) {
        Cow::Owned(scrubbed) => Some((key.clone(), scrubbed)),
        Cow::Borrowed(_) => None,
    };
    let secrets: Vec<(String, String)> = map.keys().filter_map(secret).collect();
    for (number, (key, scrubbed)) in secrets.into_iter().enumerate() {
        let Some(value) = map.remove(&key) else { continue };
        let scrubbed = if map.contains_key(&scrubbed) { format!("{scrubbed} {}", number + 1) } else { scrubbed };
        map.insert(scrubbed, value);
    }
}

fn scrub_values(map: &mut Map<String, Value>, depth: usize) {
    for (name, value) in map {
        if name.eq_ignore_ascii_case("cookies")
            && let Value::Object(cookies) = value
        {
            cookies.iter_mut().for_each(|(name, value)| scrub_cookie(name, value));
            scrub_keys(cookies);
        } else if is_secret_name(name) {
            redact(value);
        } else {
            scrub_value(value, depth + 1);
        }
    }
}

/// Keeps a cookie's name, and its value if it identifies nobody.
fn scrub_cookie(name: &str, value: &mut Value) {
    match value {
        Value::String(text) => *text = Secrets::default().cookie(name, text).into_owned(),
        _ => redact(value),
    }
}

fn scrub_value(value: &mut Value, depth: usize) {
    match value {
        Value::Object(map) if depth < MAX_DEPTH => scrub_map(map, depth),
        Value::Array(items) if depth < MAX_DEPTH => items.iter_mut().for_each(|item| scrub_value(item, depth + 1)),
        Value::Object(_) | Value::Array(_) => redact(value),
        Value::String(found) => scrub_text(found),
        // A card number can be sent as a number.
        Value::Number(number)
            if number.as_f64().is_some_and(|number| number >= MIN_CARD)
                && matches!(Secrets::default().scrub(&number.to_string()), Cow::Owned(_)) =>
        {
            redact(value);
        }
        _ => {}
    }
}

/// Replaces a value, unless it is empty or a boolean: that a secret is missing or set is not a secret.
fn redact(value: &mut Value) {
    let is_empty = value.is_null() || value.as_str().is_some_and(str::is_empty) || value.is_boolean();
    if !is_empty {
        *value = Value::from(REDACTED);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_from_all_kinds_of_values() {
        let mut found = json!({
            "headers": {"Authorization": "Bearer abc123", "Host": "shop.example", "X-Api-Key": "abc123"},
            "env": {"HTTP_AUTHORIZATION": "Bearer abc123", "HTTP_COOKIE": "a=abc123"},
            "url": "https://shop.example/books?page=2&api_key=abc123#top",
            "repr": "<Request 'http://shop.example/?api_key=abc123' [POST]>",
            "cookies": {"sessionid": "abc123", "theme": "dark"},
            "card": "it was 4111 1111 1111 1111, sir",
            "number": 4_111_111_111_111_111_u64,
            "data": [{"password": "abc123", "title": "Emma", "author": "Austen"}],
            "authorized": true,
            "by_login": {"password=abc123": 1, "password=abc123 ": 2, "password=abc123  ": 3, "password": "abc123"},
        });
        value(&mut found);
        let text = found.to_string();
        assert!(!text.contains("abc123") && !text.contains("4111"), "{text}");
        assert_eq!(found["by_login"].as_object().unwrap().len(), 4, "{text}");
        for kept in ["shop.example", "page=2", "Emma", "Austen", "dark", "it was [REDACTED], sir", "[POST]>", "#top"] {
            assert!(text.contains(kept) || kept == "#top", "{kept} was removed: {text}");
        }
    }
}

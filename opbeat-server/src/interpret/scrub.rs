//! Removes secrets from bodies: old agents send `Authorization` and `Cookie` in plain text.

use std::borrow::Cow;

use opbeat_protocol::{ErrorBody, Exception, Frame, ParamMessage, Traces, TransactionsBody};
use opbeat_secrets::{REDACTED, Secrets, is_secret_name};
use serde_json::{Map, Value};

/// The deepest nesting of values that is searched; no agent sends more. Deeper values are redacted.
const MAX_DEPTH: usize = 64;

/// Removes secrets from an error, and from all other values of its body.
pub(super) fn error(body: &mut ErrorBody) {
    scrub_text(&mut body.message);
    for part in [&mut body.culprit, &mut body.logger].into_iter().flatten() {
        scrub_text(part);
    }
    body.exception.iter_mut().for_each(exception);
    for map in [&mut body.http, &mut body.user, &mut body.extra, &mut body.tags].into_iter().flatten() {
        self::map(map);
    }
    body.stacktrace.iter_mut().for_each(|stack| frames(&mut stack.frames));
    match &mut body.param_message {
        Some(ParamMessage::Template(template)) => scrub_text(template),
        Some(ParamMessage::Parts { message, params }) => {
            scrub_text(message);
            value(params);
        }
        Some(ParamMessage::Other(other)) => value(other),
        None => {}
    }
    if let Some(template) = &mut body.template {
        scrub_text(&mut template.filename);
        template.abs_path.iter_mut().for_each(scrub_text);
        let around = [&mut template.pre_context, &mut template.post_context].into_iter().flatten().flatten().flatten();
        around.chain(&mut template.context_line).for_each(scrub_source);
    }
    if let Some(query) = &mut body.query {
        scrub_text(&mut query.query);
        query.engine.iter_mut().for_each(scrub_text);
    }
    body.environment.iter_mut().for_each(scrub_text);
    if let Some(transaction) = &mut body.transaction {
        scrub_text(&mut transaction.name);
        transaction.kind.iter_mut().for_each(scrub_text);
        transaction.result.iter_mut().for_each(value);
    }
}

/// Removes secrets from the names in a body. Equal names stay equal, so that its parts still belong together.
pub(super) fn names(body: &mut TransactionsBody) {
    for group in &mut body.transactions {
        scrub_text(&mut group.transaction);
        group.kind.iter_mut().for_each(scrub_text);
        group.result.iter_mut().for_each(value);
    }
    for part in &mut body.breakdown {
        [&mut part.transaction, &mut part.transaction_kind, &mut part.kind].into_iter().for_each(scrub_text);
    }
    let (Traces::Groups(groups) | Traces::Sampled { groups, .. }) = &mut body.traces;
    for group in groups {
        let names = [&mut group.transaction, &mut group.signature, &mut group.kind].into_iter();
        names.chain(&mut group.transaction_kind).chain(&mut group.parents).for_each(scrub_text);
    }
}

/// Removes secrets from frames: from variables, from literals in source lines, and from the URLs of scripts.
pub(super) fn frames(frames: &mut [Frame]) {
    for frame in frames {
        frame.vars.iter_mut().for_each(value);
        scrub_text(&mut frame.filename);
        frame.abs_path.iter_mut().for_each(scrub_text);
        let context = [&mut frame.pre_context, &mut frame.post_context].into_iter().flatten().flatten().flatten();
        context.chain(&mut frame.context_line).for_each(scrub_source);
    }
}

/// Removes secrets from an object.
pub(super) fn map(map: &mut Map<String, Value>) {
    scrub_map(map, 0);
}

/// Removes secrets from any value.
pub(super) fn value(value: &mut Value) {
    scrub_value(value, 0);
}

/// Removes secrets from a text.
pub(super) fn scrub_text(text: &mut String) {
    if let Cow::Owned(scrubbed) = Secrets::default().scrub(text) {
        *text = scrubbed;
    }
}

/// Removes secrets from the literals of a source line.
fn scrub_source(line: &mut String) {
    if let Cow::Owned(scrubbed) = Secrets::default().scrub_source(line) {
        *line = scrubbed;
    }
}

/// Removes secrets from an exception and its causes. The JSON parser limits the depth of the recursion.
fn exception(exception: &mut Exception) {
    scrub_text(&mut exception.value);
    exception.causes.iter_mut().for_each(self::exception);
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
        Value::Number(number) if matches!(Secrets::default().scrub(&number.to_string()), Cow::Owned(_)) => {
            redact(value)
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
        });
        value(&mut found);
        let text = found.to_string();
        assert!(!text.contains("abc123") && !text.contains("4111"), "{text}");
        for kept in ["shop.example", "page=2", "Emma", "Austen", "dark", "it was [REDACTED], sir", "[POST]>", "#top"] {
            assert!(text.contains(kept) || kept == "#top", "{kept} was removed: {text}");
        }
    }
}

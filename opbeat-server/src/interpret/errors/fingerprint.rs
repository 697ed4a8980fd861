//! Fingerprints, by which errors are grouped.

use opbeat_protocol::{ErrorBody, Frame};
use sha2::{Digest, Sha256};

/// The version of the grouping, which is the first byte of every fingerprint: a new version never adds to old groups.
const VERSION: u8 = 1;

/// Returns an error's fingerprint.
///
/// Two errors have the same fingerprint if these are equal:
///
/// - the exception's type and module; for a message without an exception, its template, or its text without numbers;
/// - the functions of the application on the stack, without line numbers and generic arguments. If no frame is the
///   application's own, all functions on the stack. If there is no stack, the culprit, or else the transaction, or else
///   the exception's text without numbers.
pub(super) fn of(body: &ErrorBody) -> Vec<u8> {
    let mut hasher = Sha256::new();
    for part in parts(body) {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    let mut fingerprint = vec![VERSION];
    fingerprint.extend_from_slice(&hasher.finalize());
    fingerprint
}

fn parts(body: &ErrorBody) -> Vec<String> {
    let mut parts = Vec::new();
    match &body.exception {
        Some(exception) => {
            parts.push("exception".to_owned());
            parts.push(strip_generics(&exception.type_name));
            parts.push(exception.module.as_deref().map(strip_generics).unwrap_or_default());
        }
        None => {
            parts.push("message".to_owned());
            parts.push(template(body));
        }
    }
    let frames = frames(body);
    if frames.is_empty() {
        parts.extend(cause_without_stack(body));
    }
    parts.extend(frames);
    parts
}

/// Returns the part for errors without a stack: the culprit, or else the transaction, or else the exception's text.
fn cause_without_stack(body: &ErrorBody) -> Vec<String> {
    let culprit = body.culprit.clone().filter(|culprit| !culprit.is_empty());
    let transaction = body.transaction.as_ref().map(|transaction| transaction.name.clone());
    let cause = culprit.or(transaction).filter(|cause| !cause.is_empty());
    match (&body.exception, cause) {
        (_, Some(cause)) => vec![cause],
        (Some(exception), None) => vec![without_numbers(&exception.value)],
        (None, None) => Vec::new(),
    }
}

fn frames(body: &ErrorBody) -> Vec<String> {
    let Some(stack) = &body.stacktrace else { return Vec::new() };
    let own: Vec<String> = stack.frames.iter().filter(|frame| frame.in_app == Some(true)).map(function).collect();
    if own.is_empty() { stack.frames.iter().map(function).collect() } else { own }
}

/// Returns a frame's function with its module or file, without its line.
fn function(frame: &Frame) -> String {
    let file = frame.module.as_deref().unwrap_or(&frame.filename);
    format!("{file}:{}", strip_generics(frame.function.as_deref().unwrap_or_default()))
}

/// Returns a message's template, or its text without numbers.
fn template(body: &ErrorBody) -> String {
    let template = body.param_message.as_ref().and_then(|message| message.template());
    template.map_or_else(|| without_numbers(&body.message), str::to_owned)
}

/// Replaces each word that contains a digit with `#`: numbers, ids, hashes, dates.
fn without_numbers(text: &str) -> String {
    let word = |word: &str| if word.contains(|c: char| c.is_ascii_digit()) { "#".to_owned() } else { word.to_owned() };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

/// Removes generic arguments and the compiler's hash, which change while the code stays the same.
fn strip_generics(name: &str) -> String {
    let mut bare = String::with_capacity(name.len());
    let mut depth = 0_usize;
    for character in name.chars() {
        match character {
            '<' => depth += 1,
            '>' if depth > 0 => depth -= 1,
            _ if depth == 0 => bare.push(character),
            _ => {}
        }
    }
    match bare.rsplit_once("::h") {
        Some((path, hash)) if hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => path.to_owned(),
        // In a name such as `<Cart as Checkout>::pay`, the part in angle brackets is needed.
        _ if bare.trim_matches(':').is_empty() || name.starts_with('<') => name.to_owned(),
        _ => bare,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn body(json: serde_json::Value) -> ErrorBody {
        serde_json::from_value(json).unwrap()
    }

    fn error(value: &str, function: &str, line: u32) -> ErrorBody {
        body(json!({
            "exception": {"type": "CartError", "value": value},
            "stacktrace": {"frames": [
                {"filename": "tokio/src/task.rs", "lineno": line, "function": "poll", "in_app": false},
                {"filename": "shop/src/cart.rs", "lineno": line, "function": function, "in_app": true},
            ]},
        }))
    }

    #[test]
    fn similar_errors_are_in_one_group() {
        let same = [
            ("another line", error("no book 1", "shop::buy", 10), error("no book 1", "shop::buy", 12)),
            ("another text", error("no book 1", "shop::buy", 10), error("no book 2", "shop::buy", 10)),
            ("other arguments", error("x", "shop::buy::<u8>", 1), error("x", "shop::buy::<u16>", 1)),
            (
                "another hash",
                error("x", "shop::buy::h0123456789abcdef", 1),
                error("x", "shop::buy::hfedcba9876543210", 1),
            ),
            ("another number", body(json!({"message": "took 10 ms"})), body(json!({"message": "took 12 ms"}))),
        ];
        for (name, one, other) in same {
            assert_eq!(of(&one), of(&other), "{name}");
        }
    }

    #[test]
    fn different_errors_are_in_different_groups() {
        let different = [
            ("another function", error("x", "shop::buy", 1), error("x", "shop::sell", 1)),
            ("another type", error("x", "shop::buy", 1), {
                let mut other = error("x", "shop::buy", 1);
                other.exception.as_mut().unwrap().type_name = "BookError".to_owned();
                other
            }),
            ("another text", body(json!({"message": "no stamps"})), body(json!({"message": "no paper"}))),
            (
                "another template",
                body(json!({"message": "a 1", "param_message": "a %s"})),
                body(json!({"message": "a 1", "param_message": "%s 1"})),
            ),
        ];
        for (name, one, other) in different {
            assert_ne!(of(&one), of(&other), "{name}");
        }
    }
}

//! Secrets that are planted into bodies.

use serde_json::Value;

/// The part of the planted token that no other text contains.
pub(super) const MARK: &str = "qxz7Kq3vTnB8wLmR5yHc2dJf9gPs4aEuXt6Z";

/// A token of GitHub. It is in two parts, so that no scanner takes this file for a leak.
const TOKEN: &str = concat!("gh", "p_", "qxz7Kq3vTnB8wLmR5yHc2dJf9gPs4aEuXt6Z");

/// Texts of fewer bytes are often one of a few words, such as a method or a language.
const MIN_TEXT: usize = 10;

/// The keys of texts that must be one of a few words.
const WORDS: [&str; 2] = ["key", "status"];

/// Returns JSON with a token in each text, and with a password in each object, or `None` if the bytes are not JSON or
/// contain the mark themselves.
pub(super) fn planted(json: &[u8]) -> Option<Vec<u8>> {
    let mut value: Value = serde_json::from_slice(json).ok()?;
    if value.to_string().contains(MARK) {
        return None;
    }
    plant(&mut value, "");
    serde_json::to_vec(&value).ok()
}

/// Returns a text with a token at its end.
pub(super) fn with_token(text: &str) -> String {
    format!("{text} {TOKEN}")
}

fn plant(value: &mut Value, key: &str) {
    match value {
        Value::String(text) if text.len() >= MIN_TEXT && !is_number(text) && !WORDS.contains(&key) => {
            *text = with_token(text);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| plant(item, key)),
        Value::Object(map) => {
            map.iter_mut().for_each(|(key, value)| plant(value, key));
            map.insert("password".to_owned(), MARK.into());
        }
        _ => {}
    }
}

/// Returns whether a text can be a time, a number or an id in hexadecimal.
fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"TZ:.+-".contains(&byte))
}

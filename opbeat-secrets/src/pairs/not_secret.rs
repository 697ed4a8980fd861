//! Text that follows a secret name but is not a secret: an absent value, a placeholder, a reason.

use super::name::{Name, has_part};

/// Words that mean that there is no secret value.
const ABSENT: [&str; 7] = ["true", "false", "null", "nil", "none", "undefined", "nan"];

/// One-word statements about a secret.
const REMARKS: [&str; 25] = [
    "missing",
    "required",
    "invalid",
    "expired",
    "empty",
    "incorrect",
    "wrong",
    "unknown",
    "mismatch",
    "denied",
    "rejected",
    "disabled",
    "enabled",
    "unauthorized",
    "forbidden",
    "unavailable",
    "failed",
    "closed",
    "started",
    "ended",
    "ok",
    "yes",
    "no",
    "on",
    "off",
];

/// Parts of secret names that are also parts of the names of hosts and files.
const SERVICES: [&str; 4] = ["auth", "session", "token", "secret"];

/// Returns the length of a value without quotes.
pub(super) fn word_length(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || "&;,'\"`<>)}]#".contains(c)).unwrap_or(text.len());
    // JSON can escape the `&` of a query.
    let end = text[..end].find("\\u0026").unwrap_or(end);
    // A backslash in front of the quote belongs to the quote, not to the value.
    text[..end].trim_end_matches('\\').len()
}

/// Returns whether the word means that there is no value.
pub(super) fn is_absent(word: &str) -> bool {
    word.is_empty() || is_one_of(&ABSENT, word)
}

/// Returns whether a word is a placeholder, as in SQL and templates, or a mask that already hides a value.
pub(super) fn is_placeholder(word: &str) -> bool {
    /// The walk reads such words again, so their length is limited to keep its time linear.
    const MAX_LENGTH: usize = 64;
    let is_mask = word.chars().all(|c| c == '*' || c == '?' || c == '…' || c == '.');
    let digits = word.strip_prefix(['$', '?']).or_else(|| word.strip_prefix("@p")).or_else(|| word.strip_prefix("@P"));
    let is_numbered =
        digits.is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    let name = word.strip_prefix(':').filter(|name| !name.is_empty());
    let is_named = name.is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
    let is_any = is_mask || is_numbered || is_named || word == "%s" || word.starts_with("%(");
    is_any && word.len() <= MAX_LENGTH
}

/// Returns whether the text after a colon is a statement about the name, or a location.
///
/// Colons occur in sentences and addresses too, not only between a name and its value.
pub(super) fn is_statement(name: &Name<'_>, word: &str, after: &str, has_gap: bool) -> bool {
    let bare = word.trim_end_matches(['.', ':', '!', '?', '…']);
    let is_letters = bare.chars().all(|c| c.is_alphabetic() || "'’-".contains(c));
    let is_followed = after.trim_start_matches(' ').starts_with(|c: char| c.is_alphanumeric() || "`\"'(".contains(c));
    let is_prose = is_letters && after.starts_with(' ') && is_followed;
    if name.is_quoted {
        return is_prose;
    }
    if !has_gap {
        return (is_letters && !is_field(name, after)) || is_location(name, word);
    }
    is_prose || (is_letters && (name.follows_complaint() || is_one_of(&REMARKS, bare)))
}

/// Returns whether the text after a value continues a structure that Go printed: `{Password:abc Port:5}`, `map[pin:abc]`.
fn is_field(name: &Name<'_>, after: &str) -> bool {
    const MAX_NAME: usize = 64;
    let next = after.strip_prefix(' ').unwrap_or_default().as_bytes();
    let length =
        next.iter().take(MAX_NAME).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
    let is_followed = length > 0 && next[length..].starts_with(b":") && !next[length..].starts_with(b"::");
    name.is_in_structure() && (after.starts_with(['}', ']']) || is_followed)
}

/// Returns whether the word is a line of a file or a port of a service: `token.rs:42:7`, `auth:8080`.
fn is_location(name: &Name<'_>, word: &str) -> bool {
    const LONGEST: usize = 12;
    let is_number = word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let is_short = word.len() < 4 && !name.text.eq_ignore_ascii_case("pin");
    let is_file_or_service = name.text.contains('.') || SERVICES.iter().any(|service| has_part(name.text, service));
    is_short || (is_number && is_file_or_service)
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| word.eq_ignore_ascii_case(known))
}

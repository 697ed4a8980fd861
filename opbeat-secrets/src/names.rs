//! The built-in names whose values are secret.

/// Parts of secret names, in lower case and without separators.
const PARTS: [&str; 19] = [
    "passw",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "credential",
    "session",
    "sessid",
    "csrf",
    "xsrf",
    "cookie",
    "cardnumber",
    "creditcard",
    "signature",
];

/// Words that are secret only as whole words, since they also occur inside others: `pin` in `opinion`.
const WORDS: [&str; 12] = ["pass", "pwd", "pw", "pin", "otp", "totp", "jwt", "sid", "sig", "cvv", "cvc", "ssn"];

/// Returns whether the value of a header, query parameter, tag or variable of this name is secret.
///
/// # Examples
///
/// ```
/// use opbeat_secrets::is_secret_name;
///
/// assert!(is_secret_name("Set-Cookie") && is_secret_name("HTTP_X_API_KEY") && is_secret_name("userPin"));
/// assert!(!is_secret_name("author") && !is_secret_name("opinion"));
/// ```
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let bare = name.bytes().filter(u8::is_ascii_alphanumeric);
    let bare: Vec<u8> = bare.map(|byte| byte.to_ascii_lowercase()).collect();
    (0..bare.len()).any(|at| begins_with_part(&bare[at..])) || words(name).any(is_secret_word)
}

/// Returns the words of a name. The last word of `userPin`, `user_pin` and `user%5Bpin%5D` is `pin`.
pub(crate) fn words(name: &str) -> impl Iterator<Item = &str> {
    let mut rest = name;
    std::iter::from_fn(move || {
        rest = after_separators(rest);
        let (word, tail) = rest.split_at(word_length(rest.as_bytes()));
        rest = tail;
        (!word.is_empty()).then_some(word)
    })
}

fn begins_with_part(bare: &[u8]) -> bool {
    let begins = |part: &[u8]| part[0] == bare[0] && bare.starts_with(part);
    // An `author` is public, but `authorization` and `auth` carry credentials.
    let is_auth = begins(b"auth") && (!begins(b"author") || begins(b"authoriz") || begins(b"authoris"));
    is_auth || PARTS.iter().any(|part| begins(part.as_bytes()))
}

/// Returns whether the word is secret. Digits at the end number a form field, as in `pin2`, and are ignored.
fn is_secret_word(word: &str) -> bool {
    let word = word.trim_end_matches(|c: char| c.is_ascii_digit());
    WORDS.iter().any(|secret| word.eq_ignore_ascii_case(secret))
}

/// Removes separators from the start of a text. A percent-encoded byte is a separator too.
fn after_separators(mut text: &str) -> &str {
    while let Some(first) = text.chars().next().filter(|first| !first.is_alphanumeric()) {
        let digits = text.as_bytes().get(1..3).filter(|_| first == '%');
        let is_escape = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        text = &text[if is_escape { 3 } else { first.len_utf8() }..];
    }
    text
}

/// Returns the length of the first word. A capital letter starts another word: `userPin`, `PINCode`.
fn word_length(text: &[u8]) -> usize {
    let is_upper = |at: usize| text.get(at).is_some_and(u8::is_ascii_uppercase);
    let is_lower = |at: usize| text.get(at).is_some_and(u8::is_ascii_lowercase);
    let is_end = |at: &usize| {
        let is_word = text[*at].is_ascii_alphanumeric() || !text[*at].is_ascii();
        !is_word || (*at > 0 && is_upper(*at) && (!is_upper(at - 1) || is_lower(at + 1)))
    };
    (0..text.len()).find(is_end).unwrap_or(text.len())
}

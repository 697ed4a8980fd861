//! Types that hold a secret, as `Debug` prints them.

use super::name::Name;
use crate::names::words;
use crate::rules::Secrets;

/// The words in the names of such types. `InvalidToken` and `AuthError` contain other words: they describe an error.
const WORDS: [&str; 24] = [
    "secret",
    "password",
    "passphrase",
    "passwd",
    "passcode",
    "pwd",
    "token",
    "api",
    "access",
    "refresh",
    "private",
    "signing",
    "session",
    "key",
    "credential",
    "credentials",
    "pin",
    "otp",
    "jwt",
    "bearer",
    "string",
    "box",
    "plain",
    "new",
];

/// Returns whether the text ends with the name of a type that holds a secret.
pub(super) fn is_wrapper(before: &str, secrets: &Secrets) -> bool {
    if !before.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    let name = Name::before(before).text;
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains(['.', '-', '[']);
    let is_known = || words(name).all(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    is_type && secrets.is_secret(name) && (is_known() || secrets.is_listed(name))
}

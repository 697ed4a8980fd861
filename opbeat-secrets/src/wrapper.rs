//! Types that hold a secret, as they are printed.

use super::Secrets;
use super::name::Name;
use super::names::words;

/// The words that names of such types are made of. `InvalidToken` and `AuthError` tell what is wrong, and are none.
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

/// Returns whether the last name of a text is the one of a type that holds a secret.
pub(super) fn is_wrapper(before: &str, secrets: &Secrets) -> bool {
    if !before.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return false;
    }
    let name = Name::before(before).text;
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && !name.contains(['.', '-', '[']);
    let is_known = || words(name).all(|word| WORDS.iter().any(|known| word.eq_ignore_ascii_case(known)));
    is_type && secrets.is_secret(name) && (is_known() || secrets.is_listed(name))
}

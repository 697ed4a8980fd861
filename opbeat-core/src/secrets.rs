//! Which names stand for secrets.

/// What stands in a secret's place.
pub const REDACTED: &str = "[REDACTED]";

/// Parts of names whose values are secret, in lower case and without `-` and `_`.
const SECRET_NAMES: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "auth",
    "credential",
    "session",
    "csrf",
    "cookie",
    "cardnumber",
    "creditcard",
];

/// Returns whether the value of a header, a query's pair, a tag or a variable of this name is secret.
///
/// # Examples
///
/// ```
/// use opbeat_core::secrets::is_secret_name;
///
/// assert!(is_secret_name("Set-Cookie") && is_secret_name("HTTP_X_API_KEY"));
/// assert!(!is_secret_name("author"));
/// ```
#[must_use]
pub fn is_secret_name(name: &str) -> bool {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    // Who wrote something is no secret.
    let names_author = bare.starts_with("author") && !bare.starts_with("authoriz");
    !names_author && SECRET_NAMES.iter().any(|secret| bare.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in ["Authorization", "cookie", "X-Api-Key", "proxy-authorization", "new_password", "csrfToken"] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in ["host", "user-agent", "page", "author", "title"] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}

//! What is secret, by its name or by its form, and what stands in its place.

mod card;
mod cookies;
mod pairs;

use std::borrow::Cow;

use wildmatch::WildMatchPattern;

/// What stands in a secret's place.
pub const REDACTED: &str = "[REDACTED]";

/// Parts of names whose values are secret, in lower case and without `-` and `_`.
const SECRET_NAMES: [&str; 17] = [
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
    "xsrf",
    "cookie",
    "cardnumber",
    "creditcard",
    "signature",
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

/// The rules that tell secrets: the names that everybody has, and patterns of an application's own.
///
/// # Examples
///
/// ```
/// use opbeat_core::secrets::Secrets;
///
/// let secrets = Secrets::new(["*iban*"]);
/// assert!(secrets.is_secret("customer_IBAN"));
/// assert_eq!(secrets.scrub("GET /pay?iban=DE123&page=2"), "GET /pay?iban=[REDACTED]&page=2");
/// assert_eq!(secrets.scrub("card 4111 1111 1111 1111"), "card [REDACTED]");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    patterns: Vec<WildMatchPattern<'*', '?'>>,
}

impl Secrets {
    /// Adds patterns of names to the rules: `*` stands for any characters, `?` for one, in whatever case.
    #[must_use]
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let pattern = |pattern: P| WildMatchPattern::new_case_insensitive(pattern.as_ref());
        Self { patterns: patterns.into_iter().map(pattern).collect() }
    }

    /// Returns whether the value of a header, a query's pair, a tag or a variable of this name is secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        is_secret_name(name) || self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    /// Removes secrets from text: the values of secret names, wherever text has pairs of them, the passwords of URLs,
    /// and the numbers of cards.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match pairs::scrub(self, text) {
            Cow::Borrowed(text) => card::mask(text),
            Cow::Owned(text) => Cow::Owned(card::mask(&text).into_owned()),
        }
    }
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

    #[test]
    fn text_loses_its_secrets_only() {
        let secrets = Secrets::new(["iban"]);
        let cases = [
            ("/books?page=2&api_key=abc", "/books?page=2&api_key=[REDACTED]"),
            ("/books?page=2", "/books?page=2"),
            ("postgres://shop:hunter2@db.example/shop", "postgres://shop:[REDACTED]@db.example/shop"),
            ("redis://:hunter2@cache:6379/0", "redis://:[REDACTED]@cache:6379/0"),
            ("see https://shop.example/a:b@c", "see https://shop.example/a:b@c"),
            (r#"{"password": "hunter2", "title": "Emma"}"#, r#"{"password": "[REDACTED]", "title": "Emma"}"#),
            (r#"{"password":"a\"b","page":2}"#, r#"{"password":"[REDACTED]","page":2}"#),
            (r#"{"token":12345,"page":2}"#, r#"{"token":[REDACTED],"page":2}"#),
            (r#"Login { password: "hunter2", name: "ada" }"#, r#"Login { password: "[REDACTED]", name: "ada" }"#),
            ("password=hunter2&name=ada", "password=[REDACTED]&name=ada"),
            ("IBAN=DE123", "IBAN=[REDACTED]"),
            ("unexpected token: expected a brace", "unexpected token: expected a brace"),
            ("card 4111-1111-1111-1111.", "card [REDACTED]."),
            ("at 1795417737447, order 12345678901234567890", "at 1795417737447, order 12345678901234567890"),
            ("2026-11-23 07:08:00", "2026-11-23 07:08:00"),
            ("4111 1111 1111 1112", "4111 1111 1111 1112"),
        ];
        for (text, expected) in cases {
            assert_eq!(secrets.scrub(text), expected);
        }
    }
}

//! The rules that decide which names are secret.

use wildmatch::WildMatchPattern;

use crate::names::is_secret_name;

/// The text that replaces a secret.
pub const REDACTED: &str = "[REDACTED]";

/// The rules that find secrets: a built-in list of names, and name patterns of the application.
///
/// # Examples
///
/// ```
/// use opbeat_secrets::Secrets;
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
    /// Creates rules with additional name patterns.
    ///
    /// In a pattern, `*` matches any characters and `?` matches one. Case is ignored.
    #[must_use]
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let pattern = |pattern: P| WildMatchPattern::new_case_insensitive(pattern.as_ref());
        Self { patterns: patterns.into_iter().map(pattern).collect() }
    }

    /// Returns whether the value of a header, query parameter, tag or variable of this name is secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        is_secret_name(name) || self.is_listed(name)
    }

    /// Returns whether the application has patterns of its own.
    pub(crate) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Returns whether one of the application's own patterns matches the name.
    pub(crate) fn is_listed(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}

//! What is secret, by its name or by its form, and what stands in its place.

mod card;
mod cookies;
mod extent;
mod markup;
mod name;
mod names;
mod pairs;
mod plain;
mod token;
mod url;
mod value;
mod wrapper;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use extent::start;
pub use names::is_secret_name;
use wildmatch::WildMatchPattern;

/// What stands in a secret's place.
pub const REDACTED: &str = "[REDACTED]";

/// The rules that tell secrets: the names that everybody has, and patterns of an application's own.
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
    /// Adds patterns of names to the rules: `*` stands for any characters, `?` for one, in whatever case.
    #[must_use]
    pub fn new<P: AsRef<str>>(patterns: impl IntoIterator<Item = P>) -> Self {
        let pattern = |pattern: P| WildMatchPattern::new_case_insensitive(pattern.as_ref());
        Self { patterns: patterns.into_iter().map(pattern).collect() }
    }

    /// Returns whether the value of a header, a query's pair, a tag or a variable of this name is secret.
    #[must_use]
    pub fn is_secret(&self, name: &str) -> bool {
        is_secret_name(name) || self.is_listed(name)
    }

    /// Removes secrets from text: the values of secret names, wherever text has pairs of them, the passwords of URLs,
    /// tokens that their form tells, and the numbers of cards.
    ///
    /// It takes time in proportion to the text's length, whatever the text.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        Self::by_form(pairs::scrub(self, text, false))
    }

    /// Removes secrets from a line of source: the literals that it gives to secret names. Its code stays.
    #[must_use]
    pub fn scrub_source<'a>(&self, line: &'a str) -> Cow<'a, str> {
        Self::by_form(pairs::scrub(self, line, true))
    }

    /// Returns whether the application itself says that the name is one of a secret.
    fn is_listed(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }

    fn by_form(text: Cow<'_, str>) -> Cow<'_, str> {
        [token::mask, card::mask].into_iter().fold(text, |text, mask| match mask(&text) {
            Cow::Borrowed(_) => text,
            Cow::Owned(masked) => Cow::Owned(masked),
        })
    }
}

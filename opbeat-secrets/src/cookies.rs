//! Cookies: their names tell a developer much, and many of their values are as good as a password.

use std::borrow::Cow;

use super::{REDACTED, Secrets};

/// Parts of names whose values are a choice that many share, in lower case. Any other may stand for somebody.
const CHOICES: [&str; 9] =
    ["theme", "lang", "locale", "timezone", "currency", "consent", "variant", "experiment", "feature"];

/// A longer value is no choice, whatever its name.
const LONGEST: usize = 15;

impl Secrets {
    /// Returns what may be shown of a cookie's value: nothing, unless its name and its length mean a choice, such as a theme.
    #[must_use]
    pub fn cookie<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let lower = name.to_ascii_lowercase();
        let is_choice = value.len() <= LONGEST && CHOICES.iter().any(|part| lower.contains(part));
        if !is_choice || self.is_secret(name) {
            return Cow::Borrowed(REDACTED);
        }
        self.scrub(value)
    }

    /// Does so for a whole `Cookie` header.
    #[must_use]
    pub fn cookies(&self, header: &str) -> String {
        let shown = header.split(';').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| {
            // What is no pair may be anything.
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            if name.is_empty() { REDACTED.to_owned() } else { format!("{name}={}", self.cookie(name, value)) }
        });
        shown.collect::<Vec<_>>().join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookies_show_their_names() {
        let header = "theme=dark; JSESSIONID=abc; x=7; lang=0123456789abcdef; iban_lang=DE1; hunter2";
        let shown =
            "theme=dark; JSESSIONID=[REDACTED]; x=[REDACTED]; lang=[REDACTED]; iban_lang=[REDACTED]; [REDACTED]";
        assert_eq!(Secrets::new(["iban*"]).cookies(header), shown);
    }
}

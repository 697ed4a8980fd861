//! Cookies: names help a developer, but many values are as sensitive as a password.

use std::borrow::Cow;

use crate::rules::{REDACTED, Secrets};

/// Parts of names, in lower case, whose values are choices that many users share. Any other value may identify a user.
const CHOICES: [&str; 9] =
    ["theme", "lang", "locale", "timezone", "currency", "consent", "variant", "experiment", "feature"];

/// The maximum length of a shared choice, in bytes. Longer values are always removed.
const MAX_CHOICE: usize = 15;

impl Secrets {
    /// Returns the value of a cookie without secrets.
    ///
    /// The whole value is removed unless its name and its length indicate a shared choice, such as a theme.
    #[must_use]
    pub fn cookie<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let lower = name.to_ascii_lowercase();
        let is_choice = value.len() <= MAX_CHOICE && CHOICES.iter().any(|part| lower.contains(part));
        if !is_choice || self.is_secret(name) {
            return Cow::Borrowed(REDACTED);
        }
        self.scrub(value)
    }

    /// Removes secrets from a whole `Cookie` header, as [`Secrets::cookie`] does for each cookie.
    #[must_use]
    pub fn cookies(&self, header: &str) -> String {
        let shown = header.split(';').map(str::trim).filter(|pair| !pair.is_empty()).map(|pair| {
            // A part without a name may contain anything, so it is removed.
            let (name, value) = pair.split_once('=').unwrap_or(("", pair));
            if name.is_empty() { REDACTED.to_owned() } else { format!("{name}={}", self.cookie(name, value)) }
        });
        shown.collect::<Vec<_>>().join("; ")
    }
}

//! Removes every kind of secret from a text: command lines, name–value pairs, tokens, card numbers.

use std::borrow::Cow;

use crate::contents::Contents;
use crate::rules::Secrets;
use crate::{card, commands, pairs, tokens};

impl Secrets {
    /// Removes secrets from text.
    ///
    /// These are the values of secret names, wherever the text contains name–value pairs; passwords in URLs and in
    /// command lines; tokens that are recognised by their form; and card numbers.
    ///
    /// The text may be the key of a map, too: a key such as `password=hunter2` or a token loses its secret, and a key
    /// that is only a name, secret or not, stays as it is.
    ///
    /// The time is linear in the length of the text, whatever the text contains.
    ///
    /// # Examples
    ///
    /// ```
    /// use opbeat_secrets::Secrets;
    ///
    /// let secrets = Secrets::default();
    /// assert_eq!(secrets.scrub("curl -u ada:hunter2 https://shop.example"), "curl -u ada:[REDACTED] https://shop.example");
    /// assert_eq!(secrets.scrub("password=hunter2"), "password=[REDACTED]");
    /// assert_eq!(secrets.scrub("password"), "password");
    /// ```
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.scrub_as(text, false)
    }

    /// Removes secrets from a line of source code: the literals that it assigns to secret names. The code stays.
    #[must_use]
    pub fn scrub_source<'a>(&self, line: &'a str) -> Cow<'a, str> {
        self.scrub_as(line, true)
    }

    fn scrub_as<'a>(&self, text: &'a str, is_source: bool) -> Cow<'a, str> {
        let contents = Contents::of(text);
        let mut text = Cow::Borrowed(text);
        if contents.options {
            text = then(text, |text| commands::scrub(self, text, is_source));
        }
        if contents.pairs || self.has_patterns() {
            text = then(text, |text| pairs::scrub(self, text, is_source));
        }
        if contents.tokens {
            text = then(text, tokens::mask);
        }
        if contents.digits >= card::MIN_DIGITS {
            text = then(text, card::mask);
        }
        text
    }
}

/// Applies a step, and keeps the text if the step removes nothing.
fn then<'a>(text: Cow<'a, str>, step: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    match step(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(scrubbed) => Cow::Owned(scrubbed),
    }
}

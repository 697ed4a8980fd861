//! Removes every kind of secret from a text: first name–value pairs, then tokens, then card numbers.

use std::borrow::Cow;

use crate::rules::Secrets;
use crate::{card, pairs, token};

impl Secrets {
    /// Removes secrets from text.
    ///
    /// These are the values of secret names, wherever the text contains name–value pairs; the passwords of URLs;
    /// tokens that are recognised by their form; and card numbers.
    ///
    /// The time is linear in the length of the text, whatever the text contains.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        mask_by_form(pairs::scrub(self, text, false))
    }

    /// Removes secrets from a line of source code: the literals that it assigns to secret names. The code stays.
    #[must_use]
    pub fn scrub_source<'a>(&self, line: &'a str) -> Cow<'a, str> {
        mask_by_form(pairs::scrub(self, line, true))
    }
}

fn mask_by_form(text: Cow<'_, str>) -> Cow<'_, str> {
    [token::mask, card::mask].into_iter().fold(text, |text, mask| match mask(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => Cow::Owned(masked),
    })
}

//! Cookies: their names tell a developer much, and many of their values are as good as a password.

use std::borrow::Cow;

use super::{REDACTED, Secrets};

/// Parts of names whose values stand for somebody, in lower case.
const SOMEBODY: [&str; 6] = ["sess", "sid", "jwt", "login", "remember", "user"];

/// A longer value may be a key, whatever its name.
const LONGEST: usize = 15;

impl Secrets {
    /// Returns what may be shown of a cookie's value: nothing if its name or its length may mean a session.
    #[must_use]
    pub fn cookie<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        let lower = name.to_ascii_lowercase();
        let is_somebody = lower.ends_with("id") || SOMEBODY.iter().any(|part| lower.contains(part));
        if is_somebody || value.len() > LONGEST || self.is_secret(name) {
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
        let header = "theme=dark; JSESSIONID=abc; connect.sid=s; cart_id=7; x=0123456789abcdef; iban=DE1; hunter2";
        let shown = "theme=dark; JSESSIONID=[REDACTED]; connect.sid=[REDACTED]; cart_id=[REDACTED]; x=[REDACTED]; \
                     iban=[REDACTED]; [REDACTED]";
        assert_eq!(Secrets::new(["iban"]).cookies(header), shown);
    }
}

//! Secrets don't leave the process.

use std::borrow::Cow;

use crate::record::{ErrorRecord, RequestRecord, TransactionRecord, Value};

/// What stands in a secret's place.
const REDACTED: &str = "[REDACTED]";

/// Parts of names whose values are secret, in lower case and without `-` and `_`.
const SECRET_NAMES: [&str; 14] = [
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
];

/// Clears an error of secrets: in headers, query, tags and extra values.
pub(super) fn error(record: &mut ErrorRecord) {
    scrub_request(&mut record.request);
    scrub_values(&mut record.tags);
    scrub_values(&mut record.extra);
}

/// Clears a sampled transaction of secrets: its request, its values, and those of its spans.
pub(super) fn transaction(record: &mut TransactionRecord) {
    scrub_request(&mut record.request);
    scrub_values(&mut record.tags);
    scrub_values(&mut record.extra);
    for span in &mut record.spans {
        scrub_values(&mut span.extra);
    }
}

fn scrub_request(request: &mut Option<RequestRecord>) {
    let Some(old) = request else { return };
    let mut new = RequestRecord::new(&old.method(), &scrub_url(&old.target()), 0);
    for (name, value) in old.headers() {
        let value = if is_secret(&name) { Cow::Borrowed(REDACTED) } else { scrub_url(&value) };
        new.push_header(&name, value.as_bytes());
    }
    *request = Some(new);
}

fn scrub_values(values: &mut [(Cow<'static, str>, Value)]) {
    for (name, value) in values {
        if is_secret(name) {
            *value = Value::from(REDACTED);
        } else if let Value::Text(text) = value
            && let Cow::Owned(scrubbed) = scrub_url(text)
        {
            *value = Value::from(scrubbed);
        }
    }
}

/// Replaces the values of secret names in the query of what may be a URL.
fn scrub_url(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else {
        return Cow::Borrowed(url);
    };
    let is_secret_pair = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| is_secret(name));
    if !query.split('&').any(is_secret_pair) {
        return Cow::Borrowed(url);
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    Cow::Owned(format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")))
}

fn is_secret(name: &str) -> bool {
    let bare: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    // Who wrote a text is no secret.
    SECRET_NAMES.iter().any(|secret| bare.contains(secret)) && !bare.starts_with("author")
        || bare.starts_with("authorization")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_secrets() {
        for name in
            ["Authorization", "cookie", "Set-Cookie", "X-Api-Key", "proxy-authorization", "new_password", "csrfToken"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["host", "user-agent", "page", "author", "title"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn queries_lose_their_secrets_only() {
        assert_eq!(scrub_url("/books?page=2&api_key=abc"), "/books?page=2&api_key=[REDACTED]");
        assert_eq!(scrub_url("/books?page=2"), "/books?page=2");
    }
}

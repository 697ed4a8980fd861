//! Secrets don't leave the process.

use std::borrow::Cow;

use crate::record::{ErrorRecord, RequestRecord, TransactionRecord, Value};
use crate::secrets::{REDACTED, is_secret_name};

/// Bytes of a message or a value that are kept.
const MAX_TEXT: usize = 8 * 1024;

/// Clears an error of secrets: in headers, query, tags and extra values.
pub(super) fn error(record: &mut ErrorRecord) {
    cut(&mut record.message);
    record.causes.iter_mut().for_each(|cause| cut(&mut cause.message));
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
        let value = if is_secret_name(&name) { Cow::Borrowed(REDACTED) } else { scrub_url(&value) };
        new.push_header(&name, value.as_bytes());
    }
    *request = Some(new);
}

fn scrub_values(values: &mut [(Cow<'static, str>, Value)]) {
    for (name, value) in values {
        if is_secret_name(name) {
            *value = Value::from(REDACTED);
        } else if let Value::Text(text) = value {
            if let Cow::Owned(scrubbed) = scrub_url(text) {
                *text = Cow::Owned(scrubbed);
            }
            if text.len() > MAX_TEXT {
                cut(text.to_mut());
            }
        }
    }
}

/// Cuts a text to what is kept, and marks where.
fn cut(text: &mut String) {
    if text.len() > MAX_TEXT {
        let end = (0..=MAX_TEXT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
        text.push('…');
    }
}

/// Replaces the values of secret names in the query of what may be a URL.
fn scrub_url(url: &str) -> Cow<'_, str> {
    let Some((path, query)) = url.split_once('?') else {
        return Cow::Borrowed(url);
    };
    let is_secret_pair = |pair: &str| pair.split_once('=').is_some_and(|(name, _)| is_secret_name(name));
    if !query.split('&').any(is_secret_pair) {
        return Cow::Borrowed(url);
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={REDACTED}"),
        _ => pair.to_owned(),
    });
    Cow::Owned(format!("{path}?{}", pairs.collect::<Vec<_>>().join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_lose_their_secrets_only() {
        assert_eq!(scrub_url("/books?page=2&api_key=abc"), "/books?page=2&api_key=[REDACTED]");
        assert_eq!(scrub_url("/books?page=2"), "/books?page=2");
    }
}

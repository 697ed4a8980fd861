//! Addresses of pages.

use crate::query::AppIdentity;

/// Returns an app's first page.
pub(super) fn app(app: &AppIdentity) -> String {
    format!("/{}/{}/", encode(&app.organization), encode(&app.name))
}

/// Returns a transaction's page.
pub(super) fn transaction(app: &AppIdentity, transaction: i64) -> String {
    format!("{}transactions/{transaction}", self::app(app))
}

/// Returns a sample's page.
pub(super) fn sample(app: &AppIdentity, transaction: i64, sample: i64) -> String {
    format!("{}/samples/{sample}", self::transaction(app, transaction))
}

/// Returns the page of an app's errors.
pub(super) fn errors(app: &AppIdentity) -> String {
    format!("{}errors/", self::app(app))
}

/// Returns an error's page.
pub(super) fn error(app: &AppIdentity, number: i64) -> String {
    format!("{}{number}/", errors(app))
}

/// Encodes text for a part of an address: RFC 3986 section 2.3 says what may stay.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

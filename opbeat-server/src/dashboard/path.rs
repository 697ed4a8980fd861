//! The paths of the pages.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::query::{AppIdentity, Range, from_seconds};

/// The characters that are encoded: all but the unreserved ones of RFC 3986, section 2.3.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

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

/// Returns the page about an app's intake.
pub(super) fn intake(app: &AppIdentity) -> String {
    format!("{}intake/", self::app(app))
}

/// Returns an error's page.
pub(super) fn error(app: &AppIdentity, number: i64) -> String {
    format!("{}{number}/", errors(app))
}

/// Returns the page of one occurrence of an error.
pub(super) fn occurrence(app: &AppIdentity, number: i64, occurrence: i64) -> String {
    format!("{}?occurrence={occurrence}", error(app, number))
}

/// Returns the query string that keeps a range in links: `?range=6h`, or both ends.
pub(super) fn range(range: &Range) -> String {
    match range.name {
        Some(name) => format!("?range={name}"),
        None => {
            let [from, to] = [range.from, range.to].map(|end| encode(&from_seconds(end).to_string()));
            format!("?from={from}&to={to}")
        }
    }
}

/// Percent-encodes a text for a segment of a path or a value of a query string.
pub(super) fn encode(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

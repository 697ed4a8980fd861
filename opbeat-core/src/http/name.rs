//! Names and rules of HTTP that all adapters share.

use super::template;
use crate::record::{Outcome, TransactionName};

/// What unmatched requests are counted under, whatever their URL.
const UNMATCHED: &str = "unmatched";

/// Returns a method's name without an allocation; `OTHER` for methods that no RFC names.
///
/// Clients choose the method, and so an unknown one must not become a name of its own.
#[must_use]
#[inline]
pub fn static_method(method: &str) -> &'static str {
    const METHODS: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

/// Names requests after their method and their route's template: `GET /books/{id}`.
///
/// Each template is kept for the life of the process, so that a request pays for no memory; there is room for 2,000 of
/// them, and what comes later is counted as `GET (other routes)`. It is for templates, never for paths.
#[must_use]
#[inline]
pub fn route(method: &str, template: &str) -> TransactionName {
    TransactionName::Route { method: static_method(method), route: template::keep(template) }
}

/// Names requests that no route matched: `GET unmatched`, whatever the URL.
#[must_use]
#[inline]
pub fn unmatched(method: &str) -> TransactionName {
    TransactionName::Route { method: static_method(method), route: UNMATCHED }
}

/// What a method means for its response's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum MethodKind {
    Head,
    Connect,
    #[default]
    Other,
}

impl MethodKind {
    pub(super) fn of(method: &str) -> Self {
        match method {
            "HEAD" => Self::Head,
            "CONNECT" => Self::Connect,
            _ => Self::Other,
        }
    }

    pub(super) fn ends_at_head(self, status: u16) -> bool {
        self == Self::Head || matches!(status, 100..=199 | 204 | 304) || self.is_connected(status)
    }

    /// Returns how a request ended. One without a response has failed.
    pub(super) fn outcome(self, status: Option<u16>) -> Outcome {
        match status {
            Some(status) if self.is_connected(status) => Outcome::Upgraded,
            Some(status) => Outcome::of_status(status),
            None => Outcome::ServerError,
        }
    }

    /// A successful `CONNECT` hands the connection over, in HTTP/2 to a websocket most often: RFC 8441.
    fn is_connected(self, status: u16) -> bool {
        self == Self::Connect && (200..300).contains(&status)
    }
}

/// Returns whether a response has no body, whatever its headers say.
///
/// That is so for every answer to `HEAD`, for 1xx, 204 and 304: [RFC 9112 section 6.3][rfc]. A successful `CONNECT` and
/// a 101 hand the connection over, which ends the request as well.
///
/// [rfc]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
#[must_use]
pub fn ends_at_head(method: &str, status: u16) -> bool {
    MethodKind::of(method).ends_at_head(status)
}

//! Names, methods and statuses of HTTP requests.

use super::template;
use crate::record::{Outcome, TransactionName};

/// The route name of requests that match no route.
const UNMATCHED: &str = "unmatched";

/// Returns a method's name without an allocation; `OTHER` for methods that no RFC defines.
///
/// Clients choose the method, so an unknown one must not create a transaction name of its own.
#[must_use]
#[inline]
pub fn static_method(method: &str) -> &'static str {
    const METHODS: [&str; 9] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE"];
    METHODS.into_iter().find(|known| *known == method).unwrap_or("OTHER")
}

/// Returns the name for requests of a method and a route template, such as `GET /books/{id}`.
///
/// Pass templates only, never paths: each different template is kept in memory until the process ends, so that a
/// request with a known one does not allocate. At most 2,000 templates are kept. Requests of further templates are
/// counted as `GET (other routes)`.
#[must_use]
#[inline]
pub fn route(method: &str, template: &str) -> TransactionName {
    TransactionName::Route { method: static_method(method), route: template::keep(template) }
}

/// Returns the name for requests that match no route: `GET unmatched`, for any URL.
#[must_use]
#[inline]
pub fn unmatched(method: &str) -> TransactionName {
    TransactionName::Route { method: static_method(method), route: UNMATCHED }
}

/// Returns the outcome of a request with this status. 408 and 504 count as timeouts.
#[must_use]
pub fn outcome_of_status(status: u16) -> Outcome {
    Outcome::of_status(status)
}

/// Returns whether a response has no body, regardless of its headers.
///
/// That is so for every response to `HEAD`, and for the statuses 1xx, 204 and 304: [RFC 9112 section 6.3][rfc]. A
/// successful `CONNECT` and a 101 hand the connection over to another protocol, which ends the request as well.
///
/// [rfc]: https://www.rfc-editor.org/rfc/rfc9112#section-6.3
#[must_use]
pub fn has_no_body(method: &str, status: u16) -> bool {
    MethodKind::of(method).has_no_body(status)
}

/// The methods that change how a response ends.
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

    pub(super) fn has_no_body(self, status: u16) -> bool {
        self == Self::Head || matches!(status, 100..=199 | 204 | 304) || self.is_connected(status)
    }

    /// Returns the outcome of a request. A request without a response has failed.
    pub(super) fn outcome(self, status: Option<u16>) -> Outcome {
        match status {
            Some(status) if self.is_connected(status) => Outcome::Upgraded,
            Some(status) => Outcome::of_status(status),
            None => Outcome::ServerError,
        }
    }

    /// Returns whether a `CONNECT` succeeded. It hands the connection over, in HTTP/2 usually to a websocket: RFC 8441.
    fn is_connected(self, status: u16) -> bool {
        self == Self::Connect && (200..300).contains(&status)
    }
}

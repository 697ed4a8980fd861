//! Requests without a response.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;

use super::peer::Peer;
use crate::pipeline::{ExportError, ExportErrorKind};

/// The reason why a request has no response.
#[derive(Debug)]
pub(in crate::export) enum RequestError {
    /// No connection could be made.
    Unreachable(String),
    /// The other side does not use TLS.
    NoTls,
    /// The two sides could not agree on TLS.
    #[cfg(feature = "tls")]
    Tls(String),
    /// The bytes received are not HTTP.
    NoHttp,
    /// The connection closed before a response.
    Disconnected,
    /// No response came in time.
    Timeout(Duration),
    /// The request could not be made.
    Unsent(String),
}

const KEPT: &str = "data is kept in memory, up to a limit, and sent later; the application is not affected";

impl RequestError {
    /// Returns the reason why an exchange failed.
    pub(super) fn new(error: &legacy::Error) -> Self {
        if !error.is_connect() {
            let is_http = find::<hyper::Error>(error).is_none_or(|error| !error.is_parse());
            return if is_http { Self::Disconnected } else { Self::NoHttp };
        }
        if let Some(error) = tls_error(error) {
            return error;
        }
        match find::<io::Error>(error).map(io::Error::kind) {
            // Only a server without TLS closes a connection that was just made.
            Some(io::ErrorKind::UnexpectedEof) => Self::NoTls,
            Some(io::ErrorKind::TimedOut) => Self::Unreachable("the connection timed out".to_owned()),
            _ => Self::Unreachable(innermost(error)),
        }
    }

    /// Returns an error with the reason and a remedy.
    pub(in crate::export) fn explain(self, peer: &Peer) -> ExportError {
        let Peer { url, name, start, variable, .. } = peer;
        let with_scheme =
            |scheme| url.split_once("://").map_or_else(|| url.clone(), |(_, rest)| format!("{scheme}://{rest}"));
        let (kind, message) = match self {
            Self::Unreachable(reason) => (
                ExportErrorKind::Unreachable,
                format!(
                    "the {name} at {url} cannot be reached: {reason}. {start}, or set {variable} to its address; \
                     {KEPT}"
                ),
            ),
            Self::NoTls => (
                ExportErrorKind::Tls,
                format!("the program at {url} does not use TLS. Set {variable} to {}; {KEPT}", with_scheme("http")),
            ),
            #[cfg(feature = "tls")]
            Self::Tls(reason) => (
                ExportErrorKind::Tls,
                format!(
                    "TLS with the {name} at {url} fails: {reason}. If its certificate is not trusted, \
                     install the certificate of its authority on this machine; {KEPT}"
                ),
            ),
            Self::NoHttp => (
                ExportErrorKind::Tls,
                format!(
                    "the program at {url} does not use HTTP. If it uses TLS, set {variable} to {}; {KEPT}",
                    with_scheme("https")
                ),
            ),
            Self::Disconnected => (
                ExportErrorKind::Disconnected,
                format!("the {name} at {url} closed the connection without a response. See its log; {KEPT}"),
            ),
            Self::Timeout(timeout) => (
                ExportErrorKind::Timeout,
                format!(
                    "the {name} at {url} did not respond within {}. Check its load and its log; {KEPT}",
                    shown(timeout)
                ),
            ),
            Self::Unsent(reason) => {
                (ExportErrorKind::Other, format!("nothing can be sent to the {name} at {url}: {reason}; {KEPT}"))
            }
        };
        ExportError::new(message).kind(kind)
    }

    pub(super) fn unsent(reason: impl Display) -> Self {
        Self::Unsent(reason.to_string())
    }
}

/// Returns a timeout in seconds, or in milliseconds if it has a part of a second.
fn shown(timeout: Duration) -> String {
    match timeout.subsec_millis() {
        0 => format!("{} s", timeout.as_secs()),
        _ => format!("{} ms", timeout.as_millis()),
    }
}

#[cfg(feature = "tls")]
fn tls_error(error: &legacy::Error) -> Option<RequestError> {
    find::<rustls::Error>(error).map(|error| match error {
        rustls::Error::InvalidMessage(_) => RequestError::NoTls,
        error => RequestError::Tls(error.to_string()),
    })
}

#[cfg(not(feature = "tls"))]
fn tls_error(_: &legacy::Error) -> Option<RequestError> {
    None
}

/// Finds an error of a type in a chain. An I/O error does not return its inner error from `source()`, but from
/// `get_ref`.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let inner = error.downcast_ref().and_then(io::Error::get_ref);
    let inner = inner.map(|inner| inner as &(dyn Error + 'static));
    find(inner.or_else(|| error.source())?)
}

/// Returns the message of the last error of a chain. Only that one names the reason.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

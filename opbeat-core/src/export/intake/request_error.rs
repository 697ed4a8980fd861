//! Why there was no answer.

use std::error::Error;
use std::fmt::Display;
use std::io;
use std::time::Duration;

use hyper_util::client::legacy;

use super::endpoint::Endpoint;
use crate::pipeline::{ExportError, ExportErrorKind};

/// Why there was no answer.
#[derive(Debug)]
pub(super) enum RequestError {
    /// There is no connection.
    Unreachable(String),
    /// The other side speaks no TLS.
    NoTls,
    /// The two sides speak TLS and do not agree.
    #[cfg(feature = "tls")]
    Tls(String),
    /// What came is no HTTP.
    NoHttp,
    /// The connection broke off.
    Disconnected,
    /// No answer came in time.
    Timeout(Duration),
    /// The request could not even be made.
    Unsent(String),
}

const KEPT: &str = "data is kept for a while, and the application goes on as it was";

impl RequestError {
    /// Tells why an exchange failed.
    pub(super) fn of(error: &legacy::Error) -> Self {
        if !error.is_connect() {
            let is_http = find::<hyper::Error>(error).is_none_or(|error| !error.is_parse());
            return if is_http { Self::Disconnected } else { Self::NoHttp };
        }
        if let Some(failure) = of_tls(error) {
            return failure;
        }
        match find::<io::Error>(error).map(io::Error::kind) {
            // Nobody else closes a connection that was just made.
            Some(io::ErrorKind::UnexpectedEof) => Self::NoTls,
            Some(io::ErrorKind::TimedOut) => Self::Unreachable("nothing accepts the connection".to_owned()),
            _ => Self::Unreachable(innermost(error)),
        }
    }

    /// Says what happened and what to do.
    pub(super) fn explain(self, endpoint: &Endpoint) -> ExportError {
        let Endpoint { server, .. } = endpoint;
        let other = |scheme| server.split_once("://").map_or(server.clone(), |(_, rest)| format!("{scheme}://{rest}"));
        let (kind, message) = match self {
            Self::Unreachable(reason) => (
                ExportErrorKind::Unreachable,
                format!(
                    "the Opbeat server at {server} cannot be reached: {reason}. Start it with `opbeat serve`, or set \
                     OPBEAT_SERVER_URL to where it runs; {KEPT}"
                ),
            ),
            Self::NoTls => (
                ExportErrorKind::Tls,
                format!("what answers at {server} speaks no TLS. Set OPBEAT_SERVER_URL to {}; {KEPT}", other("http")),
            ),
            #[cfg(feature = "tls")]
            Self::Tls(reason) => (
                ExportErrorKind::Tls,
                format!(
                    "TLS with the Opbeat server at {server} fails: {reason}. If its certificate is not trusted, install \
                     its authority's on this machine; {KEPT}"
                ),
            ),
            Self::NoHttp => (
                ExportErrorKind::Tls,
                format!(
                    "what answers at {server} speaks no HTTP. If it speaks TLS, set OPBEAT_SERVER_URL to {}; {KEPT}",
                    other("https")
                ),
            ),
            Self::Disconnected => (
                ExportErrorKind::Disconnected,
                format!("the Opbeat server at {server} closed the connection before it answered; {KEPT}"),
            ),
            Self::Timeout(timeout) => (
                ExportErrorKind::Timeout,
                format!("the Opbeat server at {server} did not answer within {} s; {KEPT}", timeout.as_secs()),
            ),
            Self::Unsent(reason) => (
                ExportErrorKind::Other,
                format!("nothing can be sent to the Opbeat server at {server}: {reason}; {KEPT}"),
            ),
        };
        ExportError::new(message).kind(kind)
    }

    pub(super) fn unsent(reason: impl Display) -> Self {
        Self::Unsent(reason.to_string())
    }
}

#[cfg(feature = "tls")]
fn of_tls(error: &legacy::Error) -> Option<RequestError> {
    find::<rustls::Error>(error).map(|error| match error {
        rustls::Error::InvalidMessage(_) => RequestError::NoTls,
        error => RequestError::Tls(error.to_string()),
    })
}

#[cfg(not(feature = "tls"))]
fn of_tls(_: &legacy::Error) -> Option<RequestError> {
    None
}

/// Finds an error of some type in a chain. Those of I/O hide theirs, and lead past it.
fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    let hidden = error.downcast_ref().and_then(io::Error::get_ref);
    let hidden = hidden.map(|hidden| hidden as &(dyn Error + 'static));
    find(hidden.or_else(|| error.source())?)
}

/// The last error of the chain says what happened; those before it only that something did.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

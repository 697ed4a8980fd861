//! A client that does what browsers don't.

mod http1;
mod http2;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::cases::Case;

/// No answer takes longer on any machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Exchange {
    /// Status and body, where as much of the response was read as the case says.
    pub answer: Option<(u16, String)>,
    /// The lines of the head and the trailers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The time from the body's first bytes to when the rest was let go.
    pub held: Duration,
}

impl Exchange {
    const fn nothing() -> Self {
        Self { answer: None, headers: Vec::new(), held: Duration::ZERO }
    }

    /// Returns a header's or a trailer's value.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// How requests are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    Http1,
    Http2,
}

impl Version {
    /// Sends a case's request, and does with the response what the case says.
    pub(super) fn send(self, case: &Case, address: SocketAddr) -> io::Result<Exchange> {
        match self {
            Self::Http1 => case.send(address),
            Self::Http2 => http2::send(case, address),
        }
    }

    /// Sends requests at the same time: by a connection for each, or all by one where the version allows that.
    pub(super) fn send_at_once<const N: usize>(
        self,
        targets: [&'static str; N],
        address: SocketAddr,
    ) -> io::Result<[Exchange; N]> {
        match self {
            Self::Http1 => http1::send_at_once(targets, address),
            Self::Http2 => http2::send_at_once(targets, address),
        }
    }
}

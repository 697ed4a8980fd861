//! The HTTP version of a run of the table.

use std::io;
use std::net::SocketAddr;

use super::super::cases::Case;
use super::exchange::Exchange;
use super::{http1, http2};

/// The HTTP version that requests are sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Version {
    Http1,
    Http2,
}

impl Version {
    /// Sends the request of a case, then performs its client action.
    pub(in super::super) fn send(self, case: &Case, address: SocketAddr) -> io::Result<Exchange> {
        match self {
            Self::Http1 => case.send(address),
            Self::Http2 => http2::send(case, address),
        }
    }

    /// Sends requests concurrently: over one connection each (HTTP/1.1), or all over the same connection (HTTP/2).
    pub(in super::super) fn send_at_once<const N: usize>(
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

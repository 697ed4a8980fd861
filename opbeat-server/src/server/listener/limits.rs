//! The limits of connections.

use std::time::Duration;

use super::descriptors;

/// The limits of connections. They protect the server from clients that connect and send nothing, or very slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The most connections at a time. By default, most of the files that the process may open, and at most 10,000.
    ///
    /// The connection that has waited longest for its client is closed for a new one. If none waits, the new one is
    /// answered with 503.
    pub total: Option<usize>,
    /// The most connections of one address, or of one `/64` network of IPv6. By default, a quarter of `total`.
    ///
    /// Trusted proxies may have all: their connections are those of many clients.
    pub per_address: Option<usize>,
    /// The longest time until a new connection has sent the head of its first request, with the handshake of TLS, and
    /// from the first byte of a later head to its end.
    pub head_timeout: Duration,
    /// The longest time between two requests.
    pub idle_timeout: Duration,
    /// The longest time for which a client does not continue with the body of its request, or does not read its answer.
    pub stalled_timeout: Duration,
    /// The longest time from the head of a request to the end of its answer.
    pub request_timeout: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            total: None,
            per_address: None,
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            stalled_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_mins(5),
        }
    }
}

impl ConnectionLimits {
    /// Returns the most connections at a time.
    pub(super) fn total(&self) -> usize {
        self.total.unwrap_or_else(descriptors::default_connections).max(1)
    }

    /// Returns the most connections of one address at a time.
    pub(super) fn per_address(&self) -> usize {
        self.per_address.unwrap_or(self.total() / 4).max(1)
    }
}

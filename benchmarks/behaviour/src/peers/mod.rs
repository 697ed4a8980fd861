//! The peers: how each is set up, told something, and read.

pub mod fastrace;
pub mod opbeat;
pub mod opentelemetry;
pub mod sentry;
pub mod tracing;

mod envelopes;
mod server_spans;

use std::net::SocketAddr;

use crate::recorded::Record;

/// An application that is monitored by a peer.
pub struct Peer {
    pub address: SocketAddr,
    pub recorder: Box<dyn Record>,
}

impl Peer {
    fn new(address: SocketAddr, recorder: impl Record + 'static) -> Self {
        Self { address, recorder: Box::new(recorder) }
    }
}

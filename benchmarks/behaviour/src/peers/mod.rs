//! The peers: their setup, their calls in handlers, and their recorded data.

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

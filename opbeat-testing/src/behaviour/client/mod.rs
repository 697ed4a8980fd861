//! The table's client, which reads responses in unusual ways.

mod exchange;
mod http1;
mod http2;
mod version;

pub use exchange::Exchange;
pub(super) use exchange::PATIENCE;
pub(super) use version::Version;

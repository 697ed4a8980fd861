//! HTTP requests of the delivery thread: connections, TLS, timeouts, and the reasons of failures.

mod connection;
mod peer;
mod request_error;
mod response;
mod transport;

pub(super) use peer::{Peer, parse_url};
pub(super) use response::{Delivery, Response, one_line};
pub(super) use transport::Transport;

//! Accepts connections, within limits: on their number, and on the time that they wait for their client.
//!
//! A client that sends nothing costs a connection, and therefore a descriptor. Without limits, a thousand of them take
//! the descriptors that the queue and the database need.

mod accept;
mod activity;
mod bind;
mod connection;
mod descriptors;
mod limits;
mod refuse;
mod registry;
mod requests;
mod stream;

pub(super) use accept::{Listener, serve};
pub(super) use bind::bind;
pub(super) use descriptors::raise_limit;
pub use limits::ConnectionLimits;

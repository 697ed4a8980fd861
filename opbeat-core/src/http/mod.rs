//! The life of an HTTP request, for adapters to web frameworks.
//!
//! An adapter begins an [`HttpTransaction`] when a request arrives, enters it around each poll of the handler's future
//! and of the response's body, tells it the response's status, and completes it at the body's last byte. When it is
//! dropped before, the client has gone or the handler has panicked: it finds out by itself.

mod lifecycle;
mod name;

pub use lifecycle::{EnteredHttp, HttpTransaction};
pub use name::{ends_at_head, route, static_method, unmatched};

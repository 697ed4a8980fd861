//! The life of an HTTP request, for adapters to web frameworks.
//!
//! An adapter begins an [`HttpTransaction`] when a request arrives, polls the handler's future and the response's body
//! through it, tells it the response's status, and completes it at the body's last byte. When it is dropped before, the
//! client has gone or the handler has panicked: it finds out by itself.

mod catch;
mod entered;
mod length;
mod lifecycle;
mod live;
mod misuse;
mod name;
mod nested;
mod outcome;
mod template;
mod work;

pub use catch::catch_panic;
pub use entered::EnteredHttp;
pub use lifecycle::HttpTransaction;
pub use misuse::warn_once;
pub use name::{ends_at_head, route, static_method, unmatched};
pub use outcome::outcome_of_status;

pub use crate::capture::{CapturedError, error_chain};

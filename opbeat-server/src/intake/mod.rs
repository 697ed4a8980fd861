//! Intake: accepts the bodies that agents post, and answers with 202 when their changes are in the queue on disk.
//!
//! ```text
//! method ─► token ─► size ─► decode ─► interpret ─► queue ─► 202
//!   405     401 403   413     400 413                 503
//! ```
//!
//! Browsers have no token: their app must allow the origin of the web page (403), within a rate (429).
//!
//! Intake looks up tokens in a [`TokenDirectory`] and origins in an [`OriginDirectory`], and never in the store, so that it
//! accepts data while the database is unavailable.

mod admission;
mod authenticate;
mod body;
mod client_side;
mod handler;
mod lanes;
mod limits;
mod location;
mod origins;
mod rate;
mod refusals;
mod rejection;
mod releases;
mod router;
mod sender;

pub(crate) use admission::Received;
pub(crate) use authenticate::{DirectoryUnavailable, TokenDirectory, TokenOwner, hash_token};
pub(crate) use handler::Intake;
pub use limits::IntakeLimits;
pub(crate) use origins::{AllowedOrigin, BrowserApp, OriginDirectory};
pub(crate) use refusals::Refusals;
pub(crate) use rejection::Rejection;
pub(crate) use router::router;

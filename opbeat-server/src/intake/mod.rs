//! Intake: accepts the bodies that agents post, checks them, and answers with 202 when they are in the queue on disk.
//!
//! ```text
//! method ─► token ─► size ─► inflate ─► shape and meaning ─► queue ─► 202
//!   405     401 403   413      400 413        400              503
//! ```
//!
//! Intake looks up tokens in a [`TokenDirectory`] and never in the store, so that it accepts data while the database is
//! unavailable.

mod authenticate;
mod body;
mod handler;
mod inflate;
mod limits;
mod rejection;
mod router;
mod validate;

pub(crate) use authenticate::{DirectoryUnavailable, TokenDirectory, TokenOwner, hash_token};
pub(crate) use inflate::inflate;
pub use limits::IntakeLimits;
pub(crate) use rejection::Rejection;
pub(crate) use router::router;
pub(crate) use validate::{parse_errors, parse_transactions};

//! Intake: accepts the bodies that agents post, and answers with 202 when their changes are in the queue on disk.
//!
//! ```text
//! method ─► token ─► limits ─► size ─► decode ─► interpret ─► events ─► queue ─► 202
//!   405     401 403  503 429    413     400 413                429       503
//! ```
//!
//! Browsers have no token: their app must allow the origin of the web page (403), within a rate (429).
//! [`Gate`] has the limits of the server and of each app.
//!
//! Intake looks up tokens in a [`TokenDirectory`] and origins in an [`OriginDirectory`], and never in the store, so that it
//! accepts data while the database is unavailable.

mod admission;
mod authenticate;
mod body;
mod client_side;
mod disk;
mod gate;
mod handler;
mod lanes;
mod limits;
mod location;
mod origins;
mod quota;
mod rate;
mod refusals;
mod rejection;
mod releases;
mod router;
mod sender;

pub(crate) use admission::Received;
pub(crate) use authenticate::{DirectoryUnavailable, TokenDirectory, TokenOwner, hash_token};
pub(crate) use disk::Disk;
pub(crate) use gate::{Accepted, Gate, RefusedApp};
pub(crate) use handler::Intake;
pub use limits::IntakeLimits;
pub(crate) use origins::{AllowedOrigin, BrowserApp, OriginDirectory};
pub(crate) use quota::{AppLimits, LimitDirectory, StoredUsage, UsageDirectory, day_of, start_counts};
pub(crate) use refusals::Refusals;
pub(crate) use rejection::{Rejection, retry_after};
pub(crate) use router::router;

//! Decodes bodies: from the received bytes to a typed report, within limits.
//!
//! ```text
//! bytes ─► inflate ─► read, leniently ─► report, with notes on what was changed
//! ```

mod body;
mod inflate;
mod releases;
mod report;

pub(crate) use body::{Decoded, decode};
pub(crate) use report::{Endpoint, Report, Undecodable};

//! Decodes bodies: from the received bytes to a typed report, within limits.
//!
//! ```text
//! bytes ─► inflate ─► JSON ─► report
//! ```

mod body;
mod inflate;
mod releases;
mod report;
mod validate;

pub(crate) use body::decode;
pub(crate) use report::{Endpoint, Report, Undecodable};

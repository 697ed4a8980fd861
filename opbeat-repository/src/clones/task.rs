//! One fetch.

use super::remote::{Access, Remote};
use crate::Budget;

pub(super) struct Task<'a> {
    pub(super) url: &'a reqwest::Url,
    pub(super) remote: &'a Remote,
    pub(super) access: Access,
    /// The bytes that may be received.
    pub(super) limit: u64,
    pub(super) budget: &'a Budget,
}

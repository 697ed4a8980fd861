//! One fetch.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::remote::{Access, Remote};
use crate::Budget;

pub(super) struct Task<'a> {
    pub(super) url: &'a url::Url,
    pub(super) remote: &'a Remote,
    pub(super) access: Access,
    /// The bytes that may be received.
    pub(super) limit: u64,
    pub(super) budget: &'a Budget,
    /// The bytes that were received, for others.
    pub(super) progress: &'a Arc<AtomicU64>,
}

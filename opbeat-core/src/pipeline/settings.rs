//! What the pipeline is told at its start.

use std::time::Duration;

use super::ignore::Ignore;
use opbeat_secrets::Secrets;

/// What the pipeline is told at its start.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The time from an event to its delivery.
    pub(crate) flush_interval: Duration,
    /// A poll that takes more nanoseconds is reported.
    pub(crate) blocking_threshold: u64,
    /// What is not recorded.
    pub(crate) ignore: Ignore,
    /// What does not leave the process.
    pub(crate) secrets: Secrets,
}

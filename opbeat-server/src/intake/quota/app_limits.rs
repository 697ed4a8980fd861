//! The limits of single apps.

use serde::{Deserialize, Serialize};

/// The limits of an app, as far as they differ from the server's [`IntakeLimits`](crate::IntakeLimits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AppLimits {
    /// The number of events that it may send in a second.
    pub(crate) events_per_second: Option<u64>,
    /// The number of bytes that it may send in a second, before inflating.
    pub(crate) bytes_per_second: Option<u64>,
    /// The number of events that it may send in `quota_days`.
    pub(crate) quota_events: Option<u64>,
    /// The number of days of the quota.
    pub(crate) quota_days: Option<u32>,
}

/// Knows the limits of the apps that have limits of their own.
pub(crate) trait LimitDirectory: Send + Sync + 'static {
    /// Returns the limits of an app, by its id.
    fn limits_of(&self, app_id: &str) -> AppLimits;
}

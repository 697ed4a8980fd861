//! The limits of single apps, in memory.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// The limits of an app, as far as they differ from the server's [`IntakeLimits`](crate::IntakeLimits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// The limits of the apps that have limits of their own. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownLimits {
    apps: Arc<RwLock<HashMap<String, AppLimits>>>,
}

impl KnownLimits {
    /// Replaces the limits of all apps, by the apps' ids.
    pub(crate) fn set(&self, apps: HashMap<String, AppLimits>) {
        *self.apps.write().unwrap_or_else(PoisonError::into_inner) = apps;
    }

    /// Returns the limits of an app.
    pub(crate) fn of(&self, app_id: &str) -> AppLimits {
        self.apps.read().unwrap_or_else(PoisonError::into_inner).get(app_id).copied().unwrap_or_default()
    }
}

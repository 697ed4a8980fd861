//! Reads the limits and the usage of apps again and again, so that requests find them in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use opbeat_protocol::Timestamp;
use tokio::sync::watch;

use super::app_limits::{AppLimits, KnownLimits};
use super::counts::{EventCounts, MAX_DAYS, day_of};
use crate::intake::authenticate::DirectoryUnavailable;

/// The time between two reads.
const INTERVAL: Duration = Duration::from_secs(5);

/// The events of an app on one day that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StoredUsage {
    /// The app's id.
    pub(crate) app_id: String,
    /// The day, since 1970.
    pub(crate) day: i64,
    /// The number of events.
    pub(crate) events: u64,
}

/// Finds the settings and the usage of apps.
pub(crate) trait QuotaDirectory: Send + Sync + 'static {
    /// Returns the limits of all apps that have limits of their own, by the apps' ids.
    fn limits(&self) -> BoxFuture<'_, Result<HashMap<String, AppLimits>, DirectoryUnavailable>>;

    /// Returns the stored usage of apps since a day. Apps without a quota can be left out.
    fn usage(&self, first_day: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>>;
}

/// Reads once. What cannot be read stays as it was.
pub(crate) async fn refresh(limits: &KnownLimits, counts: &EventCounts, directory: &dyn QuotaDirectory) {
    let today = day_of(Timestamp::from(SystemTime::now()).seconds());
    if let Ok(apps) = directory.limits().await {
        limits.set(apps);
    }
    if let Ok(stored) = directory.usage(today - i64::from(MAX_DAYS) + 1).await {
        counts.set_stored(today, stored);
    }
}

/// Reads every five seconds, until `stopped` is true.
#[cfg_attr(not(test), expect(dead_code, reason = "settings and usage of apps are stored with the next migration"))]
pub(crate) async fn keep_fresh(
    limits: KnownLimits,
    counts: EventCounts,
    directory: Arc<dyn QuotaDirectory>,
    mut stopped: watch::Receiver<bool>,
) {
    loop {
        refresh(&limits, &counts, &*directory).await;
        // An error means that the server was dropped: stop as well.
        let wait = stopped.wait_for(|stopped| *stopped);
        if tokio::time::timeout(INTERVAL, wait).await.is_ok() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[derive(Default)]
    struct Apps {
        is_away: AtomicBool,
    }

    impl Apps {
        fn read<T: Send + 'static>(&self, value: T) -> BoxFuture<'_, Result<T, DirectoryUnavailable>> {
            let is_away = self.is_away.load(Ordering::Relaxed);
            Box::pin(async move { if is_away { Err(DirectoryUnavailable) } else { Ok(value) } })
        }
    }

    impl QuotaDirectory for Apps {
        fn limits(&self) -> BoxFuture<'_, Result<HashMap<String, AppLimits>, DirectoryUnavailable>> {
            let own = AppLimits { quota_events: Some(9), ..AppLimits::default() };
            self.read([("shop".to_owned(), own)].into())
        }

        fn usage(&self, first_day: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>> {
            let usage = |day, events| StoredUsage { app_id: "shop".to_owned(), day, events };
            self.read(vec![usage(first_day, 5), usage(first_day + 1, 2)])
        }
    }

    #[tokio::test]
    async fn limits_and_usage_are_kept_while_the_database_is_away() {
        let (limits, counts, apps) = (KnownLimits::default(), EventCounts::default(), Arc::new(Apps::default()));
        let today = day_of(Timestamp::from(SystemTime::now()).seconds());
        for is_away in [false, true] {
            apps.is_away.store(is_away, Ordering::Relaxed);
            // It reads once before it stops.
            let (_stop, stopped) = watch::channel(true);
            keep_fresh(limits.clone(), counts.clone(), apps.clone(), stopped).await;
            assert_eq!(limits.of("shop").quota_events, Some(9));
            assert_eq!(counts.sum("shop", today, MAX_DAYS), 7);
        }
    }
}

//! Reads the usage of apps again and again, so that requests find it in memory.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::future::BoxFuture;
use opbeat_protocol::Timestamp;
use tokio::sync::watch;

use super::counts::{EventCounts, MAX_DAYS, StoredUsage, day_of};
use crate::intake::authenticate::DirectoryUnavailable;

/// The time between two reads.
const INTERVAL: Duration = Duration::from_secs(5);

/// Finds the usage of apps.
pub(crate) trait UsageDirectory: Send + Sync + 'static {
    /// Returns the stored usage of apps since a day. Apps without a quota can be left out.
    fn usage(&self, first_day: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>>;
}

/// The longest wait for the first read. A database that does not answer does not delay the start any longer.
const FIRST_READ: Duration = Duration::from_secs(1);

/// Reads the usage of apps, and reads it every five seconds until `stopped` is true.
///
/// Waits for the first read for a second, so that a quota that is used up holds for the first request.
pub(crate) async fn start_counts(directory: Arc<dyn UsageDirectory>, stopped: watch::Receiver<bool>) -> EventCounts {
    let mut usage = Usage { counts: EventCounts::default(), read_on: None, directory };
    let counts = usage.counts.clone();
    // Values that are not read in time are read a moment later.
    let _ = tokio::time::timeout(FIRST_READ, usage.read()).await;
    tokio::spawn(usage.keep_fresh(stopped));
    counts
}

/// The usage in memory, and its source.
struct Usage {
    counts: EventCounts,
    /// The day on which the usage of all days was read last.
    read_on: Option<i64>,
    directory: Arc<dyn UsageDirectory>,
}

impl Usage {
    /// Reads once. Values that cannot be read stay as they were.
    ///
    /// Earlier days change no more, except for data that waited for long: they are read once a day.
    async fn read(&mut self) {
        let today = day_of(Timestamp::from(SystemTime::now()).seconds());
        let days = if self.read_on == Some(today) { 2 } else { i64::from(MAX_DAYS) };
        if let Ok(stored) = self.directory.usage(today - days + 1).await {
            self.counts.set_stored(today, stored);
            self.read_on = Some(today);
        }
    }

    async fn keep_fresh(mut self, mut stopped: watch::Receiver<bool>) {
        // An error means that the server was dropped: stop as well.
        while tokio::time::timeout(INTERVAL, stopped.wait_for(|stopped| *stopped)).await.is_err() {
            self.read().await;
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

    impl UsageDirectory for Apps {
        fn usage(&self, first_day: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>> {
            let usage = |day, events| StoredUsage { app_id: "shop".to_owned(), day, events };
            let is_away = self.is_away.load(Ordering::Relaxed);
            let stored = vec![usage(first_day, 5), usage(first_day + 1, 2)];
            Box::pin(async move { if is_away { Err(DirectoryUnavailable) } else { Ok(stored) } })
        }
    }

    #[tokio::test]
    async fn usage_is_kept_while_the_database_is_away() {
        let (_stop, stopped) = watch::channel(true);
        let apps = Arc::new(Apps::default());
        let counts = start_counts(apps.clone(), stopped).await;
        let mut usage = Usage { counts, read_on: None, directory: apps.clone() };
        let today = day_of(Timestamp::from(SystemTime::now()).seconds());
        for is_away in [false, true] {
            apps.is_away.store(is_away, Ordering::Relaxed);
            usage.read().await;
            assert_eq!(usage.counts.sum("shop", today, MAX_DAYS), 7);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_start_does_not_wait_for_a_database_that_does_not_answer() {
        struct Silent;
        impl UsageDirectory for Silent {
            fn usage(&self, _: i64) -> BoxFuture<'_, Result<Vec<StoredUsage>, DirectoryUnavailable>> {
                Box::pin(std::future::pending())
            }
        }
        let (_stop, stopped) = watch::channel(false);
        let started = tokio::time::Instant::now();
        start_counts(Arc::new(Silent), stopped).await;
        assert_eq!(started.elapsed(), FIRST_READ);
    }
}

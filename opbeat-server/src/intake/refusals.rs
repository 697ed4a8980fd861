//! Refusals: the rejected requests, counted by app and reason. The counts reach the pages through the queue.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;
use tokio::sync::watch;

use super::rejection::Rejection;
use crate::changes::{self, BodyChanges, Changes, NoteAction, NoteKey};
use crate::queue::Queue;

/// The time between two deliveries of counts to the queue. A crash loses the counts of this time.
const INTERVAL: Duration = Duration::from_secs(5);

/// The reasons that concern the server and not an app: they are logged once for all apps.
const OF_SERVER: [&str; 4] = ["disk_space", "queue_full", "not_written", "unavailable"];

/// The counts of refused requests. Clones share them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    counts: Arc<Mutex<Counts>>,
}

/// The number of apps that exist and of reasons that this server has bounds the size of the maps.
#[derive(Debug, Default)]
struct Counts {
    /// The refusals of each app since the last delivery.
    new: HashMap<(String, &'static str), u64>,
    /// The minute since 1970 in which a refusal was logged last, by app, or an empty string, and reason.
    logged_in: HashMap<(String, &'static str), i64>,
    /// All refusals since the start, by reason and status.
    totals: BTreeMap<(&'static str, u16), u64>,
}

/// The number of all requests that were refused for a reason since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefusalTotal {
    /// The reason.
    pub(crate) reason: &'static str,
    /// The status of the response.
    pub(crate) status: u16,
    /// The number of requests, with and without a valid token.
    pub(crate) count: u64,
}

impl Refusals {
    /// Counts a rejected request, and logs the first one of each minute.
    ///
    /// `app` is the id of the app that it concerns, or an empty string if none is known: such requests count in the totals
    /// of the server only.
    pub(super) fn count(&self, app: &str, rejection: &Rejection) {
        let (status, reason, message) = (rejection.status.as_u16(), rejection.reason, &rejection.message);
        let minute = minute_of(now());
        let app_in_log = if OF_SERVER.contains(&reason) { "" } else { app };
        let mut counts = self.lock();
        add(counts.totals.entry((reason, status)).or_default(), 1);
        if !app.is_empty() {
            add(counts.new.entry((app.to_owned(), reason)).or_default(), 1);
        }
        let is_first = counts.logged_in.insert((app_in_log.to_owned(), reason), minute) != Some(minute);
        drop(counts);
        if is_first {
            let app = app_in_log;
            tracing::warn!(app, status, reason, %message, "a request is refused; more of this minute are not logged");
        }
    }

    /// Returns the refused requests since the start, by reason and status.
    pub(crate) fn totals(&self) -> Vec<RefusalTotal> {
        let total = |(&(reason, status), &count): (&(&'static str, u16), &u64)| RefusalTotal { reason, status, count };
        self.lock().totals.iter().map(total).collect()
    }

    /// Appends the counts to the queue, until `stopped` is true.
    pub(crate) async fn deliver(self, queue: Queue, mut stopped: watch::Receiver<bool>) {
        loop {
            // An error means that the server was dropped: stop as well.
            let wait = stopped.wait_for(|stopped| *stopped);
            let is_last = tokio::time::timeout(INTERVAL, wait).await.is_ok();
            self.deliver_once(&queue).await;
            if is_last {
                return;
            }
        }
    }

    async fn deliver_once(&self, queue: &Queue) {
        let counts = self.take();
        if counts.is_empty() {
            return;
        }
        let received = now();
        let body = |((app_id, reason), count): (&(String, &'static str), &u64)| {
            let key = NoteKey {
                app_id: app_id.clone(),
                minute: received.minute().seconds(),
                action: NoteAction::Refused,
                reason: (*reason).to_owned(),
            };
            let changes = Changes { notes: [(key, *count)].into(), ..Changes::default() };
            BodyChanges::new(app_id.clone(), String::new(), received.micros(), changes)
        };
        let bodies: Vec<BodyChanges> = counts.iter().map(body).collect();
        if let Err(error) = queue.append("", &changes::encode(&bodies)).await {
            tracing::debug!(%error, "the counts of refused requests are delivered later");
            self.put_back(counts);
        }
    }

    fn take(&self) -> HashMap<(String, &'static str), u64> {
        let mut counts = self.lock();
        let minute = minute_of(now());
        counts.logged_in.retain(|_, logged_in| *logged_in == minute);
        std::mem::take(&mut counts.new)
    }

    fn put_back(&self, taken: HashMap<(String, &'static str), u64>) {
        let mut counts = self.lock();
        for (key, count) in taken {
            add(counts.new.entry(key).or_default(), count);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn add(total: &mut u64, count: u64) {
    *total = total.saturating_add(count);
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

fn minute_of(time: Timestamp) -> i64 {
    time.seconds().div_euclid(60)
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;

    #[test]
    fn requests_with_and_without_a_token_count_in_the_totals() {
        let refusals = Refusals::default();
        refusals.count("", &Rejection::new(StatusCode::UNAUTHORIZED, ""));
        for app in ["shop", "shop", "other"] {
            refusals.count(app, &Rejection::new(StatusCode::SERVICE_UNAVAILABLE, ""));
        }
        let totals = [
            RefusalTotal { reason: "token", status: 401, count: 1 },
            RefusalTotal { reason: "unavailable", status: 503, count: 3 },
        ];
        assert_eq!(refusals.totals(), totals);
        assert_eq!(refusals.lock().logged_in.len(), 2, "one line for all apps");
        let taken = refusals.take();
        assert_eq!(taken, [(("shop".to_owned(), "unavailable"), 2), (("other".to_owned(), "unavailable"), 1)].into());
        assert!(refusals.take().is_empty());
        refusals.put_back(taken.clone());
        assert_eq!(refusals.take(), taken);
        assert_eq!(refusals.totals(), totals);
    }
}

//! Refusals: the rejected requests, counted by app and reason. The counts reach the pages through the queue.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opbeat_protocol::Timestamp;
use tokio::sync::watch;

use super::rejection::Rejection;
use crate::changes::{self, BodyChanges, Changes, NoteAction, NoteKey};
use crate::queue::Queue;

/// The time between two deliveries of counts to the queue. A crash loses the counts of this time.
const INTERVAL: Duration = Duration::from_secs(5);

/// The counts since the last delivery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals {
    counts: Arc<Mutex<HashMap<(String, &'static str), Count>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// The refusals since the last delivery.
    new: u64,
    /// The minute in which a refusal was logged last, since 1970.
    logged_in: Option<i64>,
}

impl Refusals {
    /// Counts a rejected request of an app, and logs the first one of each minute.
    ///
    /// `app` is its id, or an empty string if the request has no valid token: such requests are only logged.
    pub(super) fn count(&self, app: &str, rejection: &Rejection) {
        let minute = now().seconds().div_euclid(60);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((app.to_owned(), rejection.reason)).or_default();
        count.new = count.new.saturating_add(1);
        let is_first = count.logged_in.replace(minute) != Some(minute);
        drop(counts);
        if is_first {
            let (status, reason, message) = (rejection.status.as_u16(), rejection.reason, &rejection.message);
            tracing::warn!(app, status, reason, %message, "a request is refused; more of this minute are not logged");
        }
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
            BodyChanges {
                app_id: app_id.clone(),
                idempotency_key: String::new(),
                received_at: received.micros(),
                changes: Changes { notes: [(key, *count)].into(), ..Changes::default() },
            }
        };
        let bodies: Vec<BodyChanges> = counts.iter().map(body).collect();
        if let Err(error) = queue.append("", &changes::encode(&bodies)).await {
            tracing::debug!(%error, "the counts of refused requests are delivered later");
            self.put_back(counts);
        }
    }

    fn take(&self) -> HashMap<(String, &'static str), u64> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now().seconds().div_euclid(60);
        // Entries that were logged in this minute are kept, so that they are logged once.
        counts.retain(|_, count| count.new > 0 || count.logged_in == Some(minute));
        let known = counts.iter_mut().filter(|((app, _), _)| !app.is_empty());
        let taken = known.map(|(key, count)| (key.clone(), std::mem::take(&mut count.new)));
        taken.filter(|(_, new)| *new > 0).collect()
    }

    fn put_back(&self, taken: HashMap<(String, &'static str), u64>) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (key, new) in taken {
            let count = counts.entry(key).or_default();
            count.new = count.new.saturating_add(new);
        }
    }
}

fn now() -> Timestamp {
    Timestamp::from(SystemTime::now())
}

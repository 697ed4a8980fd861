//! What the handlers of the application under test call.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::{User, current, span};

static ARRIVED: Mutex<u64> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// Never returns, and tells the table that the handler runs. When it is dropped, it says so in a tag.
pub async fn wait_forever() {
    let _leaving = Leaving;
    *ARRIVED.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    CHANGED.notify_all();
    std::future::pending().await
}

/// Tags the transaction from a destructor, as guards of applications do.
struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        current().set_tag("left", "early");
    }
}

/// Says of the current transaction what the table expects: a user, a tag, two spans.
pub fn describe() {
    let transaction = current();
    transaction.set_user(User::new(7));
    transaction.set_tag("plan", "gold");
    let outer = span("render", "template");
    drop(span("SELECT FROM books", "db.sqlite.query"));
    drop(outer);
}

/// Returns how many handlers wait by now.
pub(super) fn arrived() -> u64 {
    *ARRIVED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until one more handler waits than before. Returns whether it came in time.
pub(super) fn wait_for_arrival(before: u64, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut arrived = ARRIVED.lock().unwrap_or_else(PoisonError::into_inner);
    while *arrived <= before {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
        arrived = CHANGED.wait_timeout(arrived, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    true
}

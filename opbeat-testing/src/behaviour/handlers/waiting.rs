//! Handlers that wait for the client, and a client that waits for handlers.

use std::future::poll_fn;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::actions::{tag, tag_on_drop};

/// The number of handlers that have called [`wait_forever`].
static ARRIVED: Mutex<u64> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// Whether the client has read the first bytes of the body, and the task that waits for it.
static GATE: Mutex<Gate> = Mutex::new(Gate { is_open: false, waiting: None });

struct Gate {
    is_open: bool,
    waiting: Option<Waker>,
}

/// Tags the transaction, signals the table's client that the handler runs, and never returns.
///
/// When the future is dropped, it sets a second tag.
pub async fn wait_forever() {
    tag();
    let _guard = tag_on_drop();
    *lock(&ARRIVED) += 1;
    CHANGED.notify_all();
    std::future::pending().await
}

/// Waits until the client has read the first bytes of the body.
pub async fn wait_for_reader() {
    poll_fn(|cx| {
        let mut gate = lock(&GATE);
        if std::mem::take(&mut gate.is_open) {
            return Poll::Ready(());
        }
        gate.waiting = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
}

/// Releases the rest of the body.
pub(in super::super) fn open_gate() {
    let waiting = {
        let mut gate = lock(&GATE);
        gate.is_open = true;
        gate.waiting.take()
    };
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

/// Returns the number of handlers that have started to wait.
pub(in super::super) fn arrived() -> u64 {
    *lock(&ARRIVED)
}

/// Waits until another handler waits. Returns `false` after the timeout.
pub(in super::super) fn wait_for_arrival(before: u64, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut arrived = lock(&ARRIVED);
    while *arrived <= before {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
        arrived = CHANGED.wait_timeout(arrived, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    true
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

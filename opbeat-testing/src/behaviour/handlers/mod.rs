//! What the handlers of the application under test call.

mod turns;

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use opbeat_core::{User, current, span};

pub use turns::take_turns;

static ARRIVED: Mutex<u64> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// Whether the client has read the first bytes, and who waits for that.
static GATE: Mutex<Gate> = Mutex::new(Gate { is_open: false, waiting: None });

struct Gate {
    is_open: bool,
    waiting: Option<Waker>,
}

/// Tags the transaction, never returns, and tells the table that the handler runs. When it is dropped, it says so in a
/// second tag.
pub async fn wait_forever() {
    tag();
    let _leaving = leaving();
    *lock(&ARRIVED) += 1;
    CHANGED.notify_all();
    std::future::pending().await
}

/// Returns what tags the transaction when it is dropped, as guards of applications do.
pub fn leaving() -> impl Sized + Send + Sync + 'static {
    Leaving
}

struct Leaving;

impl Drop for Leaving {
    fn drop(&mut self) {
        current().set_tag("left", "early");
    }
}

/// Waits until the client has read what the body sent before.
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

/// Sets the tag that the table expects.
pub fn tag() {
    current().set_tag("plan", "gold");
}

/// Names the transaction as the table expects.
pub fn rename() {
    current().set_name("shop.renamed");
}

/// Says of the current transaction what the table expects: a user, a tag, two spans.
pub fn describe() {
    let transaction = current();
    transaction.set_user(User::new(7));
    tag();
    let outer = span("render", "template");
    drop(span("SELECT FROM books", "db.sqlite.query"));
    drop(outer);
}

/// Records the span that the table expects of a task.
pub fn count_shelves() {
    drop(span("count shelves", "code"));
}

/// An error with a cause.
#[derive(Debug)]
pub struct CartError {
    cause: io::Error,
}

impl CartError {
    /// Makes the error that the table expects.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "an error is made because something failed")]
    pub fn new() -> Self {
        Self { cause: io::Error::other("the shelf is broken") }
    }
}

impl fmt::Display for CartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no cart")
    }
}

impl Error for CartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

/// Lets the body go on.
pub(super) fn open_gate() {
    let waiting = {
        let mut gate = lock(&GATE);
        gate.is_open = true;
        gate.waiting.take()
    };
    if let Some(waiting) = waiting {
        waiting.wake();
    }
}

/// Returns how many handlers wait by now.
pub(super) fn arrived() -> u64 {
    *lock(&ARRIVED)
}

/// Waits until one more handler waits than before. Returns whether it came in time.
pub(super) fn wait_for_arrival(before: u64, timeout: Duration) -> bool {
    let deadline = Instant::now() + timeout;
    let mut arrived = lock(&ARRIVED);
    while *arrived <= before {
        let Some(left) = deadline.checked_duration_since(Instant::now()) else { return false };
        arrived = CHANGED.wait_timeout(arrived, left).unwrap_or_else(PoisonError::into_inner).0;
    }
    true
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! Panics that are answered instead of passed on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::caught_panic_record;
use crate::caught::caught;
use crate::transaction::current;

/// Calls a handler, or polls it, and keeps its panic from going on if `catches` says so. `None` stands for a panic.
///
/// What panicked must not be called or polled again, so that nobody sees what it left half done. A panic that
/// the agent's hook did not report is reported here, with the transaction that is current; the adapter answers in its place.
///
/// # Examples
///
/// ```
/// use opbeat_core::http::catch_panic;
///
/// assert_eq!(catch_panic(true, || 200), Some(200));
/// ```
#[inline]
pub fn catch_panic<T>(catches: bool, work: impl FnOnce() -> T) -> Option<T> {
    if catches { told(work) } else { Some(work()) }
}

fn told<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(answer) => Some(answer),
        Err(payload) => {
            caught(|| report(payload));
            None
        }
    }
}

/// Reports a panic with the current transaction, unless the hook has: here is its payload at hand for the last time.
#[cold]
fn report(payload: Box<dyn Any + Send>) {
    if let Some(active) = current().active {
        active.report_untold_panic(|| caught_panic_record(Some(&*payload)));
    }
    drop(payload);
}

//! Catches panics of handlers, for adapters that respond to them instead of passing them on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::capture::caught_panic_record;
use crate::caught::caught;
use crate::transaction::current;

/// Calls a closure, and catches its panic if `catches` is true. Returns `None` after a panic.
///
/// The closure calls or polls a handler. After a panic, that handler must not be called or polled again, since the
/// panic may have left it half changed; the adapter responds instead. A panic that the agent's hook has not reported is
/// reported here, with the current transaction.
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
    if catches { catch_and_report(work) } else { Some(work()) }
}

fn catch_and_report<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(output) => Some(output),
        Err(payload) => {
            caught(|| report(payload));
            None
        }
    }
}

/// Reports a panic with the current transaction, unless the hook has. This is the last point where its payload, which
/// contains the message, is available.
#[cold]
fn report(payload: Box<dyn Any + Send>) {
    if let Some(active) = current().active {
        active.report_unhooked_panic(|| caught_panic_record(Some(&*payload)));
    }
    drop(payload);
}

//! Catches panics of handlers, for adapters that respond to them instead of passing them on.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::caught::caught;
use crate::reported_panic;
use crate::transaction::{report_panic, report_panics};

/// Calls a closure, and catches its panic if `catches` is true. Returns `None` after a panic.
///
/// The closure calls or polls a handler. After a panic, that handler must not be called or polled again, since the
/// panic may have left it half changed; the adapter responds instead. A panic that the agent's hook has not reported is
/// reported here, with the current transaction. If `catches` is false, the panic then continues.
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
    if catches { catch_and_report(work) } else { Some(report_panics(work)) }
}

fn catch_and_report<T>(work: impl FnOnce() -> T) -> Option<T> {
    reported_panic::expect_panic();
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(output) => Some(output),
        Err(payload) => {
            report_panic(&*payload);
            // The payload's destructor may panic.
            caught(|| drop(payload));
            None
        }
    }
}

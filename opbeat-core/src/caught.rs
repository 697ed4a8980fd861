//! Catches panics.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a closure and catches its panic. Returns `None` if it panicked.
///
/// Do not use data again that the closure may have left half changed.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(payload) => {
            // A payload may panic when it is dropped. The payload of that second panic is leaked.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(mem::forget);
            None
        }
    }
}

//! Panics that go no further.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does some work, and keeps its panic from going on. `None` stands for a panic.
///
/// What panicked must not be used again, so that nobody sees what it left half done.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(payload) => {
            // A payload may panic once more when it is dropped. What that panic brings only leaks.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(mem::forget);
            None
        }
    }
}

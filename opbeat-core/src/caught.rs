//! Stops panics of foreign code: of loggers, exporters and destructors.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls a closure and stops its panic. Returns `None` after a panic.
///
/// The caller must not use the values that panicked again, since the panic may have left them half changed.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(output) => Some(output),
        Err(payload) => {
            // The payload's destructor may panic too. The payload of that second panic is leaked, since its destructor
            // could panic again.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload))).map_err(mem::forget);
            None
        }
    }
}

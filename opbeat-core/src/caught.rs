//! Stops panics of foreign code: of loggers, exporters and destructors.

use std::cell::Cell;
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

thread_local! {
    /// Whether this thread runs code of the application whose panic is no error of the application's own work.
    static IS_QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Does the same, and lets the agent's panic hook report nothing. The caller reports the failure in its own way.
pub(crate) fn caught_quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    let before = IS_QUIET.replace(true);
    let output = caught(work);
    IS_QUIET.set(before);
    output
}

/// Returns whether the panic hook reports nothing on this thread.
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.try_with(Cell::get).unwrap_or(false)
}

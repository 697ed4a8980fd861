//! Panics that are answered instead of passed on.

use crate::caught::caught;

/// Calls a handler, or polls it, and keeps its panic from going on if `catches` says so. `None` stands for a panic.
///
/// What panicked must not be called or polled again, so that nobody sees what it left half done. The panic was reported by
/// the agent's hook; the adapter answers in its place.
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
    if catches { caught(work) } else { Some(work()) }
}

//! Whether the agent's panic hook saw a panic. An application may replace the hook after the agent's start.

use std::cell::Cell;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::notice::warn_once;

/// Whether the agent installed its hook.
static IS_INSTALLED: AtomicBool = AtomicBool::new(false);

/// The number of panics that the hook saw.
static SEEN: AtomicU64 = AtomicU64::new(0);

/// The number of panics in transactions that the hook did not see.
static MISSED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// Whether the panic that unwinds on this thread is reported.
    static IS_REPORTED: Cell<bool> = const { Cell::new(false) };
}

/// Notes that the agent installed its hook.
pub(crate) fn note_hook() {
    IS_INSTALLED.store(true, Ordering::Relaxed);
}

/// Notes that the hook saw a panic of this thread.
pub(crate) fn note_seen() {
    SEEN.fetch_add(1, Ordering::Relaxed);
    set_reported(true);
}

/// Notes that work begins on this thread, which may panic. It does nothing in a destructor that runs while another panic
/// unwinds.
#[inline]
pub(crate) fn expect_panic() {
    if !std::thread::panicking() {
        set_reported(false);
    }
}

/// Returns whether the panic that unwinds on this thread is reported.
pub(crate) fn is_reported() -> bool {
    IS_REPORTED.try_with(Cell::get).unwrap_or(false)
}

/// Notes that the hook did not see the panic that unwinds on this thread, and that it is reported now.
///
/// If the application replaced the hook, that is logged once.
#[cold]
pub(crate) fn note_missed() {
    static WARNED: Once = Once::new();
    MISSED.fetch_add(1, Ordering::Relaxed);
    set_reported(true);
    if is_hook_replaced() {
        warn_once(&WARNED, REPLACED);
    }
}

/// The message for a replaced hook, with the remedy.
pub(crate) const REPLACED: &str = "panics are reported without their location and stack, because the application \
                                   replaced the agent's panic hook. Set the application's hook before the agent \
                                   starts: the agent's hook then calls it";

/// Returns whether the application replaced the agent's hook, as far as panics have shown it.
///
/// A panic that continues on another thread, by `resume_unwind`, runs no hook there. The hook has seen it once already,
/// so that more missed than seen panics mean a replaced hook.
pub(crate) fn is_hook_replaced() -> bool {
    IS_INSTALLED.load(Ordering::Relaxed) && MISSED.load(Ordering::Relaxed) > SEEN.load(Ordering::Relaxed)
}

#[inline]
fn set_reported(is_reported: bool) {
    // A thread that is ending runs no handler.
    let _ = IS_REPORTED.try_with(|reported| reported.set(is_reported));
}

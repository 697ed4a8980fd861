//! The positions that spans of `tracing` make current on a thread.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU64, Ordering};

use opbeat_core::instrument::{Entered, Position};
use tracing::span::Id;

/// The largest number of spans that a thread has entered. Only code that forgets guards reaches it; further spans do not
/// become current.
const MAX_ENTERED: usize = 64;

thread_local! {
    static ENTERED: RefCell<Vec<(u64, Entered)>> = const { RefCell::new(Vec::new()) };
}

/// The number of spans that did not become current.
static IGNORED: AtomicU64 = AtomicU64::new(0);

/// Makes a position current on this thread until [`exit`].
pub(super) fn enter(id: &Id, position: &Position) {
    let is_entered = ENTERED.try_with(|entered| {
        let mut entered = entered.try_borrow_mut().ok()?;
        (entered.len() < MAX_ENTERED).then(|| entered.push((id.into_u64(), position.enter())))
    });
    if !matches!(is_entered, Ok(Some(()))) {
        IGNORED.fetch_add(1, Ordering::Relaxed);
    }
}

/// Ends the latest [`enter`] of a span on this thread. Spans may be left in any order.
pub(super) fn exit(id: &Id) {
    let left = ENTERED.try_with(|entered| {
        let mut entered = entered.try_borrow_mut().ok()?;
        let index = entered.iter().rposition(|(known, _)| *known == id.into_u64())?;
        Some(entered.remove(index))
    });
    drop(left);
}

/// Returns the number of spans, since the process started, that did not become current because their thread had entered
/// 64 spans already. Code that forgets the guards of spans reaches this limit.
#[must_use]
pub fn ignored_spans() -> u64 {
    IGNORED.load(Ordering::Relaxed)
}

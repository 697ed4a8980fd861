//! Nested middlewares around the same request, of which only the outer one records it.
//!
//! Usually the inner middleware finds the outer one's transaction current. A middleware between both may call the inner
//! one in a task of its own, though. So the transaction is also in the request's extensions, if this thread has more
//! than one of our middlewares. Each worker of a server has its own thread and its own middlewares.

use std::cell::Cell;

use opbeat_core::CurrentTransaction;

thread_local! {
    /// The number of middlewares on this thread.
    static MIDDLEWARES: Cell<usize> = const { Cell::new(0) };
}

/// A middleware that is counted for as long as it lives.
#[derive(Debug)]
pub(crate) struct CountedMiddleware(());

impl CountedMiddleware {
    pub(crate) fn new() -> Self {
        change(|middlewares| middlewares + 1);
        Self(())
    }
}

impl Drop for CountedMiddleware {
    fn drop(&mut self) {
        change(|middlewares| middlewares.saturating_sub(1));
    }
}

fn change(change: fn(usize) -> usize) {
    // A thread that is ending serves no more requests.
    let _ = MIDDLEWARES.try_with(|middlewares| middlewares.set(change(middlewares.get())));
}

/// Returns whether another middleware may be around the same request.
#[inline]
pub(crate) fn may_be_nested() -> bool {
    MIDDLEWARES.try_with(Cell::get).unwrap_or(0) > 1
}

/// The transaction that records a request, in the request's extensions.
pub(crate) struct RecordedBy(pub(crate) CurrentTransaction);

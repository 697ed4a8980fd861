//! Transactions that have been counted, to be used again.
//!
//! A transaction is made on the request's thread and done with on the worker's. Memory that is freed on another thread
//! than it was taken on is the dearest part of malloc, and so it goes back the way that it came.

use std::sync::{Arc, LazyLock};

use crossbeam_queue::ArrayQueue;

use super::Active;

/// What comes back within one of the worker's rests at a hundred thousand requests a second: some 2 MB when it is full.
const CAPACITY: usize = 1_024;

static POOL: LazyLock<ArrayQueue<Arc<Active>>> = LazyLock::new(|| ArrayQueue::new(CAPACITY));

/// Takes a transaction that nobody else holds, empty but for its memory.
pub(super) fn take() -> Option<Arc<Active>> {
    POOL.pop()
}

/// Keeps a transaction for the next request, unless somebody still holds it or there are enough.
pub(super) fn give_back(mut active: Arc<Active>) {
    if let Some(unique) = Arc::get_mut(&mut active) {
        unique.clear();
        // The pool may be full, and then the memory is freed.
        let _ = POOL.push(active);
    }
}

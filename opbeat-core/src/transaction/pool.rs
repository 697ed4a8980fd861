//! Transactions that are done with, to be used again.
//!
//! Most end on the thread that they began on, or on one that begins others, and their memory is still in its cache.

use std::cell::RefCell;
use std::sync::Arc;

use super::Active;

/// As many as one thread has at once, but for bursts.
const CAPACITY: usize = 64;

thread_local! {
    static POOL: RefCell<Vec<Arc<Active>>> = const { RefCell::new(Vec::new()) };
}

/// Takes a transaction that nobody else holds, empty but for its memory.
pub(super) fn take() -> Option<Arc<Active>> {
    POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten()
}

/// Keeps a transaction for the next request, unless somebody still holds it or there are enough.
pub(super) fn give_back(mut active: Arc<Active>) {
    if let Some(unique) = Arc::get_mut(&mut active) {
        unique.clear();
        // A thread that ends needs it no more.
        let _ = POOL.try_with(|pool| {
            if let Ok(mut pool) = pool.try_borrow_mut()
                && pool.len() < CAPACITY
            {
                pool.push(active);
            }
        });
    }
}

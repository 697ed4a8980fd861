//! What is done with, to be used again.
//!
//! Most requests end on the thread that they began on, or on one that begins others, and their memory is still in its
//! cache.

use std::cell::RefCell;
use std::thread::LocalKey;

/// As many as one thread has at once, but for bursts.
const CAPACITY: usize = 64;

/// What one thread is done with.
pub(crate) struct Pool<T>(RefCell<Vec<T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Takes something out; `None` if there is nothing, or the thread ends.
    #[inline]
    pub(crate) fn take(pool: &'static LocalKey<Self>) -> Option<T> {
        pool.try_with(|pool| pool.0.try_borrow_mut().ok()?.pop()).ok().flatten()
    }

    /// Keeps something for the next request, unless there is enough.
    #[inline]
    pub(crate) fn give_back(pool: &'static LocalKey<Self>, done: T) {
        // A thread that ends needs it no more.
        let _ = pool.try_with(|pool| {
            if let Ok(mut pool) = pool.0.try_borrow_mut()
                && pool.len() < CAPACITY
            {
                pool.push(done);
            }
        });
    }
}

//! A pool of finished values, whose allocations are reused.
//!
//! Most requests end on the thread that they began on, or on a thread that begins other requests. Their memory is then
//! still in that thread's cache.

use std::cell::RefCell;
use std::thread::LocalKey;

/// The largest number of values that a pool keeps. Except in bursts, one thread serves fewer requests at once.
const CAPACITY: usize = 64;

/// The finished values of one thread.
pub(crate) struct Pool<T>(RefCell<Vec<T>>);

impl<T> Pool<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    /// Takes a value out; `None` if the pool is empty or the thread is ending.
    #[inline]
    pub(crate) fn take(pool: &'static LocalKey<Self>) -> Option<T> {
        pool.try_with(|pool| pool.0.try_borrow_mut().ok()?.pop()).ok().flatten()
    }

    /// Keeps a value for the next request, unless the pool is full.
    #[inline]
    pub(crate) fn give_back(pool: &'static LocalKey<Self>, finished: T) {
        // A thread that is ending has no pool any more, and drops the value instead.
        let _ = pool.try_with(|pool| {
            if let Ok(mut pool) = pool.0.try_borrow_mut()
                && pool.len() < CAPACITY
            {
                pool.push(finished);
            }
        });
    }
}

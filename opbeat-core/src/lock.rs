//! Locks whose poisoning is ignored.
//!
//! A panic under one of our locks leaves no value half changed, so a poisoned lock protects a usable value. An agent must
//! also not turn one panic of the application into a second one.

use std::sync::{LockResult, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Locks a mutex, even if a thread panicked while it held the lock.
#[inline]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    unpoisoned(mutex.lock())
}

/// Returns the value of a mutex that no other thread can reach, without locking.
#[inline]
pub(crate) fn get_mut<T>(mutex: &mut Mutex<T>) -> &mut T {
    unpoisoned(mutex.get_mut())
}

/// Locks a lock for reading, even if a thread panicked while it wrote.
pub(crate) fn read<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    unpoisoned(lock.read())
}

/// Locks a lock for writing, even if a thread panicked while it wrote.
pub(crate) fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    unpoisoned(lock.write())
}

/// Returns the guard of a lock or of a wait, even if a thread panicked while it held the lock.
#[inline]
pub(crate) fn unpoisoned<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

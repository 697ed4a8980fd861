//! Between the request path and the worker.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;
use std::time::Instant;

use crossbeam_queue::ArrayQueue;

use super::Settings;
use super::counts::Counts;
use super::errors::{PendingError, Repeats};
use super::shards::{Seat, Shards};
use crate::record::TransactionRecord;

/// Errors are large, and those of a storm are alike.
const ERRORS: usize = 256;

/// The worker is woken for so many errors. Fewer wait until it looks by itself: waking a thread takes a request longer
/// than all else about an error, and no error is sent before the next delivery anyway.
const WAKING: usize = ERRORS / 2;

/// What threads have counted, and a bounded queue of errors. An error that finds it full is counted at once, so that
/// overload takes details, never counts.
pub(super) struct Queue {
    settings: Settings,
    shards: Shards,
    errors: ArrayQueue<Box<PendingError>>,
    error_overflow: Mutex<Repeats>,
    worker: OnceLock<Thread>,
    worker_sleeps: AtomicBool,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            shards: Shards::new(),
            errors: ArrayQueue::new(ERRORS),
            error_overflow: Mutex::default(),
            worker: OnceLock::new(),
            worker_sleeps: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Counts a transaction. Returns its seat if it is to be kept whole.
    #[inline]
    pub(super) fn count(&self, record: &mut TransactionRecord, started: Instant) -> Option<Seat> {
        if self.is_closed() {
            return None;
        }
        let seat = self.shards.add(record, started, &self.settings);
        if self.shards.is_full() {
            self.wake();
        }
        seat
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&self, seat: &Seat, record: TransactionRecord) {
        self.shards.keep(seat, record);
    }

    /// Moves what all threads have counted.
    pub(super) fn drain_counts(&self, total: &mut Counts) {
        self.shards.drain_into(total, &self.settings);
    }

    /// Returns whether some thread has counted so much that it is to be taken over now.
    pub(super) fn is_full(&self) -> bool {
        self.shards.is_full()
    }

    /// Returns whether there was room.
    pub(super) fn push_error(&self, error: Box<PendingError>) -> bool {
        if self.is_closed() {
            return false;
        }
        let refused = self.errors.push(error).err();
        let has_room = refused.is_none();
        if let Some(error) = refused {
            lock(&self.error_overflow).add(error);
        }
        if self.errors.len() >= WAKING {
            self.wake();
        }
        has_room
    }

    pub(super) fn pop_error(&self) -> Option<Box<PendingError>> {
        self.errors.pop()
    }

    /// Takes out the errors that were only counted.
    pub(super) fn take_error_overflow(&self) -> Repeats {
        mem::take(&mut *lock(&self.error_overflow))
    }

    /// Refuses everything from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_always();
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Says which thread to wake.
    pub(super) fn set_worker(&self, worker: Thread) {
        // It is set once, before anybody else has the queue.
        let _ = self.worker.set(worker);
    }

    /// Parks the calling worker until there is something to do, if there is nothing now.
    pub(super) fn sleep(&self, park: impl FnOnce()) {
        self.worker_sleeps.store(true, Ordering::SeqCst);
        if self.errors.len() < WAKING && !self.shards.is_full() {
            park();
        }
        self.worker_sleeps.store(false, Ordering::SeqCst);
    }

    /// Wakes the worker if it sleeps. While it is awake this is one read.
    fn wake(&self) {
        if self.worker_sleeps.load(Ordering::Relaxed) && self.worker_sleeps.swap(false, Ordering::SeqCst) {
            self.wake_always();
        }
    }

    pub(super) fn wake_always(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

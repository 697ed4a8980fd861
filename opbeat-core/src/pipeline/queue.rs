//! Between the request path and the worker.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::Thread;

use crossbeam_queue::ArrayQueue;

use super::counts::Counts;
use super::{Clock, Finished};
use crate::record::ErrorRecord;

/// Room for the transactions of some 10 ms at half a million a second.
const TRANSACTIONS: usize = 8_192;

/// Errors are large, and those of a storm are alike.
const ERRORS: usize = 256;

/// An error, and the transaction that it happened in.
pub(super) struct CapturedError {
    pub(super) record: ErrorRecord,
    pub(super) transaction: Option<Arc<dyn Finished>>,
}

/// Two bounded queues. What finds the first full is counted at once, so that overload takes span trees, never counts.
pub(super) struct Queue {
    transactions: ArrayQueue<Arc<dyn Finished>>,
    errors: ArrayQueue<Box<CapturedError>>,
    overflow: Mutex<Option<Box<Counts>>>,
    dropped_errors: AtomicU64,
    worker: OnceLock<Thread>,
    worker_sleeps: AtomicBool,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            transactions: ArrayQueue::new(TRANSACTIONS),
            errors: ArrayQueue::new(ERRORS),
            overflow: Mutex::default(),
            dropped_errors: AtomicU64::new(0),
            worker: OnceLock::new(),
            worker_sleeps: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn push_transaction(&self, transaction: Arc<dyn Finished>) {
        if self.is_closed() {
            return;
        }
        if let Err(transaction) = self.transactions.push(transaction) {
            self.count_overflow(&*transaction);
        }
        self.wake();
    }

    /// Returns whether there was room.
    pub(super) fn push_error(&self, error: Box<CapturedError>) -> bool {
        let has_room = !self.is_closed() && self.errors.push(error).is_ok();
        if !has_room {
            self.dropped_errors.fetch_add(1, Ordering::Relaxed);
        }
        self.wake();
        has_room
    }

    pub(super) fn pop_transaction(&self) -> Option<Arc<dyn Finished>> {
        self.transactions.pop()
    }

    /// Returns how many transactions wait.
    pub(super) fn len(&self) -> usize {
        self.transactions.len()
    }

    pub(super) fn pop_error(&self) -> Option<Box<CapturedError>> {
        self.errors.pop()
    }

    pub(super) fn take_overflow(&self) -> Option<Box<Counts>> {
        self.overflow.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    pub(super) fn take_dropped_errors(&self) -> u64 {
        self.dropped_errors.swap(0, Ordering::Relaxed)
    }

    /// Refuses everything from now on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.wake_always();
    }

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
        if self.transactions.is_empty() && self.errors.is_empty() {
            park();
        }
        self.worker_sleeps.store(false, Ordering::SeqCst);
    }

    /// Wakes the worker if it sleeps. While it is awake, which under load it always is, this is one read.
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

    fn count_overflow(&self, transaction: &dyn Finished) {
        let mut record = transaction.take(&Clock::now());
        let mut overflow = self.overflow.lock().unwrap_or_else(PoisonError::into_inner);
        overflow.get_or_insert_default().add(&mut record);
    }
}

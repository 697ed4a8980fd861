//! Between the request path and the worker.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::Thread;

use crossbeam_queue::ArrayQueue;

use super::counts::Counts;
use super::errors::{CapturedError, Repeats};
use super::{Clock, Finished, Settings};

/// Room for the transactions of some 10 ms at half a million a second.
const TRANSACTIONS: usize = 8_192;

/// Errors are large, and those of a storm are alike.
const ERRORS: usize = 256;

/// Two bounded queues. What finds them full is counted at once, so that overload takes details, never counts.
pub(super) struct Queue {
    settings: Settings,
    transactions: ArrayQueue<Arc<dyn Finished>>,
    errors: ArrayQueue<Box<CapturedError>>,
    overflow: Mutex<Option<Box<Counts>>>,
    error_overflow: Mutex<Repeats>,
    worker: OnceLock<Thread>,
    worker_sleeps: AtomicBool,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            transactions: ArrayQueue::new(TRANSACTIONS),
            errors: ArrayQueue::new(ERRORS),
            overflow: Mutex::default(),
            error_overflow: Mutex::default(),
            worker: OnceLock::new(),
            worker_sleeps: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
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
        if self.is_closed() {
            return false;
        }
        let refused = self.errors.push(error).err();
        let has_room = refused.is_none();
        if let Some(error) = refused {
            lock(&self.error_overflow).add(error);
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
        lock(&self.overflow).take()
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
        transaction.look(&Clock::now(), &mut |record| {
            // There is no room for samples here.
            lock(&self.overflow).get_or_insert_default().add(record, &self.settings);
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The queue between the threads of the application and the agent's worker thread.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread::Thread;

use crossbeam_queue::ArrayQueue;

use super::counting::{Counts, SamplePosition, Shards};
use super::errors::{ErrorOverflow, PendingError};
use super::settings::Settings;
use super::stacks::Stacks;
use crate::clock::Instant;
use crate::lock::lock;
use crate::record::{CheckInRecord, TransactionRecord};

/// The largest number of errors that the queue holds. Errors are large, and most errors of a burst are similar.
const MAX_ERRORS: usize = 256;

/// The largest number of starts and ends of scheduled jobs in a batch. Only jobs with more than 100 runs a second reach
/// it.
pub(super) const MAX_CHECK_INS: usize = 1_000;

/// The number of queued errors at which the worker is woken.
///
/// With fewer errors, the worker looks by itself after a while. Waking a thread takes a request longer than everything
/// else about an error, and no error is sent before the next delivery anyway.
const WAKE_AT: usize = MAX_ERRORS / 2;

/// The counts of all threads, and a bounded queue of errors.
///
/// An error that finds the queue full is counted at once, so that overload costs details but never makes totals wrong.
pub(super) struct Queue {
    settings: Settings,
    shards: Shards,
    stacks: Stacks,
    errors: ArrayQueue<Box<PendingError>>,
    overflow: Mutex<ErrorOverflow>,
    check_ins: Mutex<Vec<CheckInRecord>>,
    worker: OnceLock<Thread>,
    worker_sleeps: AtomicBool,
    closed: AtomicBool,
}

impl Queue {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            settings,
            shards: Shards::new(),
            stacks: Stacks::new(),
            errors: ArrayQueue::new(MAX_ERRORS),
            overflow: Mutex::default(),
            check_ins: Mutex::default(),
            worker: OnceLock::new(),
            worker_sleeps: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    #[inline]
    pub(super) fn stacks(&self) -> &Stacks {
        &self.stacks
    }

    /// Counts a transaction. Returns a position if the transaction is to be kept as a sample.
    #[inline]
    pub(super) fn count(&self, record: &mut TransactionRecord, started: Instant) -> Option<SamplePosition> {
        let position = self.shards.add(record, started, &self.settings);
        if self.shards.is_full() {
            self.wake();
        }
        position
    }

    /// Keeps a transaction as a sample.
    pub(super) fn keep(&self, position: &SamplePosition, record: TransactionRecord) {
        self.shards.keep(position, record);
    }

    /// Moves the counts of all threads into `total`.
    pub(super) fn drain_counts(&self, total: &mut Counts) {
        self.shards.drain_into(total, &self.settings);
    }

    /// Returns whether a shard is full, so that the worker must drain it now.
    pub(super) fn is_full(&self) -> bool {
        self.shards.is_full()
    }

    /// Queues an error, or counts it if the queue is full. Returns whether it was queued.
    pub(super) fn push_error(&self, error: Box<PendingError>) -> bool {
        if self.is_sealed() {
            return false;
        }
        let pushed = self.errors.push(error);
        let has_room = pushed.is_ok();
        if let Err(error) = pushed {
            lock(&self.overflow).add(error);
        }
        if self.errors.len() >= WAKE_AT {
            self.wake();
        }
        has_room
    }

    pub(super) fn pop_error(&self) -> Option<Box<PendingError>> {
        self.errors.pop()
    }

    /// Removes and returns the errors that were only counted, because the queue was full.
    pub(super) fn take_overflow(&self) -> ErrorOverflow {
        mem::take(&mut *lock(&self.overflow))
    }

    /// Queues the start or the end of a scheduled job. If there are too many, the oldest is dropped.
    pub(super) fn push_check_in(&self, record: CheckInRecord) {
        if !self.is_sealed() {
            record.add_to(&mut lock(&self.check_ins), MAX_CHECK_INS);
        }
    }

    /// Removes and returns the starts and ends of scheduled jobs.
    pub(super) fn take_check_ins(&self) -> Vec<CheckInRecord> {
        mem::take(&mut *lock(&self.check_ins))
    }

    /// Notes that a transaction begins.
    #[inline]
    pub(super) fn note_begin(&self) {
        self.shards.note_begin();
    }

    /// Returns the number of transactions that have begun and not ended.
    pub(super) fn open_transactions(&self) -> u64 {
        self.shards.open()
    }

    /// Ignores all data from now on. Returns the number of transactions that are open; 0 at a second call.
    pub(super) fn seal(&self) -> u64 {
        self.shards.seal()
    }

    #[inline]
    pub(super) fn is_sealed(&self) -> bool {
        self.shards.is_sealed()
    }

    /// Lets the worker end.
    pub(super) fn close(&self) {
        self.seal();
        self.closed.store(true, Ordering::Release);
        self.wake_always();
    }

    #[inline]
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Sets the thread to wake.
    pub(super) fn set_worker(&self, worker: Thread) {
        // It is set once, before any other thread has the queue.
        let _ = self.worker.set(worker);
    }

    /// Parks the calling worker, unless there is work to do already.
    pub(super) fn sleep(&self, park: impl FnOnce()) {
        self.worker_sleeps.store(true, Ordering::SeqCst);
        if self.errors.len() < WAKE_AT && !self.shards.is_full() {
            park();
        }
        self.worker_sleeps.store(false, Ordering::SeqCst);
    }

    /// Wakes the worker if it sleeps. While the worker is awake, this is one atomic read.
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

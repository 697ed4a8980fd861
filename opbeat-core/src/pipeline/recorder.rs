//! Where the request path hands over.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::errors::PendingError;
use super::outbox::Outbox;
use super::queue::Queue;
use super::shards::Seat;
use super::worker::Worker;
use super::{Exporter, Finished, FlushError, Settings, clock, sender};
use crate::record::{Drops, ErrorId, ErrorRecord, TransactionRecord};

/// Takes what happened, from any thread, and never blocks.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: Arc<Queue>,
}

impl Recorder {
    /// Counts a transaction that has ended. Returns its seat if it is to be kept whole, by [`keep`](Self::keep).
    #[inline]
    pub(crate) fn count(&self, record: &mut TransactionRecord, started: Instant) -> Option<Seat> {
        self.queue.count(record, started)
    }

    /// Keeps a transaction as a sample.
    pub(crate) fn keep(&self, seat: &Seat, record: TransactionRecord) {
        self.queue.keep(seat, record);
    }

    /// Takes an error. Returns its id, unless it was only counted because there were too many.
    pub(crate) fn capture(&self, record: ErrorRecord, transaction: Option<Arc<dyn Finished>>) -> Option<ErrorId> {
        let id = record.id;
        self.queue.push_error(Box::new(PendingError { record, transaction })).then_some(id)
    }

    /// Returns whether anything is taken: it is not any more after a shutdown.
    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Returns a handle that keeps nothing alive.
    pub(crate) fn downgrade(&self) -> WeakRecorder {
        WeakRecorder { queue: Arc::downgrade(&self.queue) }
    }

    /// Returns how many nanoseconds a poll may take before it is reported.
    #[inline]
    pub(crate) fn blocking_threshold(&self) -> u64 {
        self.queue.settings().blocking_threshold
    }

    /// Returns whether two recorders are the same.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
    }
}

/// A recorder that lasts for as long as others hold it.
pub(crate) struct WeakRecorder {
    queue: Weak<Queue>,
}

impl WeakRecorder {
    /// Returns the recorder, if it is there and open.
    pub(crate) fn upgrade(&self) -> Option<Recorder> {
        self.queue.upgrade().map(|queue| Recorder { queue }).filter(Recorder::is_open)
    }
}

/// The running pipeline: both threads, and what they share.
pub(crate) struct Pipeline {
    recorder: Recorder,
    outbox: Arc<Outbox>,
}

impl Pipeline {
    /// Starts the worker's and the sender's thread.
    ///
    /// # Errors
    ///
    /// Returns an error if the system has no thread for us.
    pub(crate) fn start(exporter: impl Exporter, settings: Settings) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(settings));
        let outbox = Arc::new(Outbox::default());
        sender::spawn(exporter, Arc::clone(&outbox))?;
        // Without a worker, the sender would wait for ever.
        Worker::spawn(&queue, Arc::clone(&outbox)).inspect_err(|_| outbox.close())?;
        Ok(Self { recorder: Recorder { queue }, outbox })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Returns what was left out since the start.
    pub(crate) fn drops(&self) -> Drops {
        self.outbox.losses()
    }

    /// Delivers what was recorded until now, or gives up at the deadline.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let deadline = clock::after(timeout);
        let ticket = self.outbox.request_flush()?;
        self.recorder.queue.wake_always();
        self.outbox.wait_for(ticket, deadline, timeout)
    }

    /// Flushes, then lets both threads end.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), FlushError> {
        let flushed = self.flush(timeout);
        self.recorder.queue.close();
        self.outbox.close();
        flushed
    }
}

//! Where the request path hands over.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outbox::Outbox;
use super::queue::{CapturedError, Queue};
use super::worker::Worker;
use super::{Exporter, Finished, FlushError, sender};
use crate::record::{ErrorId, ErrorRecord};

/// Takes what happened, from any thread, and never blocks.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: Arc<Queue>,
}

impl Recorder {
    /// Takes a transaction that has ended.
    pub(crate) fn finish(&self, transaction: Arc<dyn Finished>) {
        self.queue.push_transaction(transaction);
    }

    /// Takes an error. Returns its id, unless it was dropped because there were too many.
    pub(crate) fn capture(&self, record: ErrorRecord, transaction: Option<Arc<dyn Finished>>) -> Option<ErrorId> {
        let id = record.id;
        self.queue.push_error(Box::new(CapturedError { record, transaction })).then_some(id)
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
    pub(crate) fn start(exporter: impl Exporter, flush_interval: Duration) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let outbox = Arc::new(Outbox::default());
        sender::spawn(exporter, Arc::clone(&outbox))?;
        Worker::spawn(&queue, Arc::clone(&outbox), flush_interval)?;
        Ok(Self { recorder: Recorder { queue }, outbox })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Delivers what was recorded until now, or gives up at the deadline.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let deadline = Instant::now() + timeout;
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

//! Starts, flushes and stops the pipeline's two threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::{Exporter, FlushError, Outbox, spawn_delivery};
use super::queue::Queue;
use super::recorder::Recorder;
use super::settings::Settings;
use super::worker::Worker;
use crate::clock;
use crate::notice;
use crate::record::Drops;

/// The longest wait. `Instant` may overflow for a longer one, and no process waits that long.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The running pipeline: the worker thread, the delivery thread, and the data that they share.
#[derive(Clone)]
pub(crate) struct Pipeline {
    recorder: Recorder,
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
}

impl Pipeline {
    /// Starts the worker thread and the delivery thread.
    ///
    /// # Errors
    ///
    /// Returns an error if the system starts no more threads.
    pub(crate) fn start(exporter: impl Exporter, settings: Settings) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(settings));
        let outbox = Arc::new(Outbox::default());
        clock::calibrate_in_background();
        spawn_delivery(exporter, Arc::clone(&outbox))?;
        // Without a worker, the delivery thread would wait forever.
        Worker::spawn(&queue, Arc::clone(&outbox)).inspect_err(|_| outbox.close())?;
        Ok(Self { recorder: Recorder::new(Arc::clone(&queue)), queue, outbox })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Returns the data dropped since the start.
    pub(crate) fn drops(&self) -> Drops {
        self.outbox.total_drops()
    }

    /// Delivers everything recorded before the call, or returns an error at the deadline.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let deadline = Instant::now() + timeout.min(LONGEST_WAIT);
        let ticket = self.outbox.request_flush()?;
        self.queue.wake_always();
        self.outbox.wait_for(ticket, deadline, timeout)
    }

    /// Returns the number of transactions that have begun and not ended.
    pub(crate) fn open_transactions(&self) -> u64 {
        self.queue.open_transactions()
    }

    /// Records nothing from now on, flushes, then lets both threads end. Open transactions are counted as dropped.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), FlushError> {
        let transactions = self.queue.seal();
        if transactions > 0 {
            self.outbox.add_drops(Drops { transactions, ..Drops::default() });
            notice::info(format_args!(
                "requests and jobs that were still open at the shutdown: {transactions}; they are counted as dropped"
            ));
        }
        let flushed = self.flush(timeout);
        self.queue.close();
        self.outbox.close();
        flushed
    }
}

//! Starts, flushes and stops the pipeline's threads.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::delivery::{Exporter, FlushError, Outboxes};
use super::queue::Queue;
use super::recorder::Recorder;
use super::settings::Settings;
use super::worker::Worker;
use crate::clock;
use crate::notice;
use crate::record::Drops;

/// The longest wait. `Instant` may overflow for a longer one, and no process waits that long.
const LONGEST_WAIT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// The running pipeline: the worker thread, a delivery thread for each exporter, and the data that they share.
#[derive(Clone)]
pub(crate) struct Pipeline {
    recorder: Recorder,
    queue: Arc<Queue>,
    outboxes: Outboxes,
}

impl Pipeline {
    /// Starts the worker thread, and a delivery thread for each exporter.
    ///
    /// # Errors
    ///
    /// Returns an error if the system starts no more threads.
    pub(crate) fn start(exporters: Vec<Box<dyn Exporter>>, settings: Settings) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::new(settings));
        clock::calibrate_in_background();
        let outboxes = Outboxes::start(exporters)?;
        // Without a worker, the delivery threads would wait forever.
        Worker::spawn(&queue, outboxes.clone()).inspect_err(|_| outboxes.close())?;
        Ok(Self { recorder: Recorder::new(Arc::clone(&queue)), queue, outboxes })
    }

    pub(crate) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Returns the data dropped since the start.
    pub(crate) fn drops(&self) -> Drops {
        self.outboxes.total_drops()
    }

    /// Delivers everything recorded before the call, or returns an error at the deadline.
    pub(crate) fn flush(&self, timeout: Duration) -> Result<(), FlushError> {
        let deadline = Instant::now() + timeout.min(LONGEST_WAIT);
        let tickets = self.outboxes.request_flush()?;
        self.queue.wake_always();
        self.outboxes.wait_for(tickets, deadline, timeout)
    }

    /// Returns the number of transactions that have begun and not ended.
    pub(crate) fn open_transactions(&self) -> u64 {
        self.queue.open_transactions()
    }

    /// Records nothing from now on, flushes, then lets all threads end. Open transactions are counted as dropped.
    pub(crate) fn shut_down(&self, timeout: Duration) -> Result<(), FlushError> {
        let transactions = self.queue.seal();
        if transactions > 0 {
            self.outboxes.add_drops(Drops { transactions, ..Drops::default() });
            notice::info(format_args!(
                "requests and jobs that were still open at the shutdown: {transactions}; they are counted as dropped"
            ));
        }
        let flushed = self.flush(timeout);
        self.queue.close();
        self.outboxes.close();
        flushed
    }
}

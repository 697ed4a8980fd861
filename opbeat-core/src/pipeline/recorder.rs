//! The entry to the pipeline from the request path.

use std::sync::{Arc, Weak};

use super::counting::SamplePosition;
use super::errors::{PendingError, TransactionHandle};
use super::queue::Queue;
use super::stacks::Stacks;
use crate::clock::Instant;
#[cfg(any(feature = "log", feature = "tracing"))]
use crate::record::Level;
use crate::record::{CheckInRecord, ErrorId, ErrorRecord, TransactionRecord};

/// Records transactions and errors from any thread. It never blocks.
#[derive(Clone)]
pub(crate) struct Recorder {
    queue: Arc<Queue>,
}

impl Recorder {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// Counts a transaction that has ended. Returns a position if [`keep`](Self::keep) is to keep it as a sample.
    #[inline]
    pub(crate) fn count(&self, record: &mut TransactionRecord, started: Instant) -> Option<SamplePosition> {
        self.queue.count(record, started)
    }

    /// Keeps a transaction as a sample.
    pub(crate) fn keep(&self, position: &SamplePosition, record: TransactionRecord) {
        self.queue.keep(position, record);
    }

    /// Queues an error. Returns its id; `None` if the queue was full and the error was only counted.
    pub(crate) fn capture(
        &self,
        record: ErrorRecord,
        transaction: Option<Arc<dyn TransactionHandle>>,
    ) -> Option<ErrorId> {
        let id = record.id;
        self.queue.push_error(Box::new(PendingError { record, transaction })).then_some(id)
    }

    /// Queues the start or the end of a scheduled job.
    pub(crate) fn check_in(&self, record: CheckInRecord) {
        self.queue.push_check_in(record);
    }

    /// Returns whether it still records. After a shutdown it does not.
    pub(crate) fn is_open(&self) -> bool {
        !self.queue.is_sealed()
    }

    /// Notes that a transaction begins.
    #[inline]
    pub(crate) fn note_begin(&self) {
        self.queue.note_begin();
    }

    /// Returns a handle that does not keep the pipeline alive.
    pub(crate) fn downgrade(&self) -> WeakRecorder {
        WeakRecorder { queue: Arc::downgrade(&self.queue) }
    }

    /// Returns the number of nanoseconds that a poll may take before it is reported.
    #[inline]
    pub(crate) fn blocking_threshold(&self) -> u64 {
        self.queue.settings().blocking_threshold
    }

    /// Returns the number of equal queries of a transaction that are flagged; 0 for never.
    #[inline]
    pub(crate) fn n_plus_one(&self) -> u32 {
        self.queue.settings().n_plus_one
    }

    /// Returns the stacks that spans are shown with.
    #[inline]
    pub(crate) fn stacks(&self) -> &Stacks {
        self.queue.stacks()
    }

    /// Returns the names of the response headers to record, in lower case.
    #[inline]
    pub(crate) fn response_headers(&self) -> &[String] {
        &self.queue.settings().response_headers
    }

    /// Returns whether log lines of this level are kept for error reports.
    #[cfg(any(feature = "log", feature = "tracing"))]
    pub(crate) fn keeps_log_lines(&self, level: Level) -> bool {
        self.queue.settings().log_lines.is_some_and(|lowest| level >= lowest)
    }

    /// Returns whether both recorders belong to the same pipeline.
    #[inline]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.queue, &other.queue)
    }
}

/// A recorder that does not keep the pipeline alive.
pub(crate) struct WeakRecorder {
    queue: Weak<Queue>,
}

impl WeakRecorder {
    /// Returns the recorder if its pipeline exists and still records.
    pub(crate) fn upgrade(&self) -> Option<Recorder> {
        self.queue.upgrade().map(|queue| Recorder { queue }).filter(Recorder::is_open)
    }
}

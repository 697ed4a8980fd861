//! The batches between the worker and the delivery thread, and the callers that wait for their delivery.

use std::sync::{Condvar, Mutex};
use std::time::{Duration, Instant};

use super::backlog::Backlog;
use super::drop_counter::DropCounter;
use super::rejections::Rejection;
use super::{Batch, ExportError, FlushError};
use crate::lock::{lock, unpoisoned};
use crate::record::Drops;

/// The longest delay between two attempts, even if a server asks for more: otherwise one response could end all
/// reports.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// The batches to deliver, the drops, and the state of flushes.
#[derive(Default)]
pub(super) struct Outbox {
    drops: DropCounter,
    state: Mutex<OutboxState>,
    changed: Condvar,
}

#[derive(Default)]
struct OutboxState {
    backlog: Backlog,
    in_flight: bool,
    /// Whether transactions or errors were dropped since the last delivery, because the backlog was full.
    is_dropping: bool,
    /// The number of the last requested flush, and of the last one whose data is in the backlog.
    requested_flush: u64,
    flushed: u64,
    /// The number of failed attempts, and the last reason.
    failures: u64,
    last_failure: String,
    /// The number of rejections, and the last reason.
    rejections: u64,
    last_rejection: String,
    closed: bool,
}

impl Outbox {
    /// Adds a batch. Returns whether this dropped transactions or errors for the first time since the last delivery:
    /// the caller logs that once.
    pub(super) fn push(&self, batch: Batch) -> bool {
        let mut state = lock(&self.state);
        let dropped = state.backlog.push(batch);
        let is_dropping = dropped.transactions > 0 || dropped.errors > 0;
        let is_first = is_dropping && !state.is_dropping;
        state.is_dropping |= is_dropping;
        self.drops.add(dropped);
        self.changed.notify_all();
        is_first
    }

    /// Counts drops.
    pub(super) fn add_drops(&self, drops: Drops) {
        self.drops.add(drops);
    }

    /// Counts the drops of a rejection.
    pub(super) fn add_rejection(&self, rejection: &Rejection) {
        self.drops.add(rejection.dropped);
        self.drops.return_unsent(rejection.unsent);
        let mut state = lock(&self.state);
        state.rejections += u64::from(!rejection.dropped.is_empty());
        state.last_rejection.clone_from(&rejection.reason);
    }

    /// Returns the drops since the start.
    pub(super) fn total_drops(&self) -> Drops {
        self.drops.total()
    }

    /// Returns the drops since the last call, for the next batch to report.
    pub(super) fn take_unsent_drops(&self) -> Drops {
        self.drops.take_unsent()
    }

    /// Waits for the next batch. Returns `None` when the outbox is closed.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut state = lock(&self.state);
        loop {
            if let Some(batch) = state.backlog.next() {
                state.in_flight = true;
                return Some(batch);
            }
            if state.closed {
                return None;
            }
            state = unpoisoned(self.changed.wait(state));
        }
    }

    /// Notes that the batch in flight was delivered.
    pub(super) fn set_delivered(&self) {
        let mut state = lock(&self.state);
        (state.in_flight, state.is_dropping) = (false, false);
        self.changed.notify_all();
    }

    /// Notes that the batch in flight is dropped.
    pub(super) fn drop_in_flight(&self, contents: Drops) {
        self.drops.add(contents);
        lock(&self.state).in_flight = false;
        self.changed.notify_all();
    }

    /// Puts back a batch whose attempt failed, and waits before the next attempt. A flush ends the wait early.
    pub(super) fn return_failed(&self, batch: Batch, error: &ExportError, delay: Duration) {
        let until = Instant::now() + delay.min(LONGEST_DELAY);
        let mut state = lock(&self.state);
        state.backlog.put_back(batch);
        state.in_flight = false;
        state.failures += 1;
        state.last_failure.clone_from(&error.message);
        if state.closed {
            // There will be no further attempt.
            self.drops.add(state.backlog.clear());
        }
        self.changed.notify_all();
        let requested = state.requested_flush;
        while !state.closed && state.requested_flush == requested {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            state = unpoisoned(self.changed.wait_timeout(state, left)).0;
        }
    }

    /// Requests a flush. Returns a ticket for [`wait_for`](Self::wait_for).
    pub(super) fn request_flush(&self) -> Result<FlushTicket, FlushError> {
        let mut state = lock(&self.state);
        if state.closed {
            return Err(FlushError::ShutDown);
        }
        state.requested_flush += 1;
        self.changed.notify_all();
        Ok(FlushTicket { number: state.requested_flush, failures: state.failures, rejections: state.rejections })
    }

    /// Returns the number of the last requested flush.
    pub(super) fn requested_flush(&self) -> u64 {
        lock(&self.state).requested_flush
    }

    /// Notes that everything recorded before this flush was requested is in the backlog.
    pub(super) fn set_flushed(&self, number: u64) {
        lock(&self.state).flushed = number;
        self.changed.notify_all();
    }

    /// Waits until the data of a flush is delivered, an attempt since its request has failed, or the deadline passes.
    pub(super) fn wait_for(&self, ticket: FlushTicket, deadline: Instant, timeout: Duration) -> Result<(), FlushError> {
        let mut state = lock(&self.state);
        loop {
            // After the close, the worker serves no further flush.
            let is_flushed = state.flushed >= ticket.number;
            if (is_flushed || state.closed) && state.backlog.is_empty() && !state.in_flight {
                return if is_flushed { state.check_rejections(ticket) } else { Err(FlushError::ShutDown) };
            }
            if state.failures > ticket.failures {
                return Err(FlushError::Undelivered(state.last_failure.clone()));
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Err(FlushError::Deadline(timeout));
            };
            state = unpoisoned(self.changed.wait_timeout(state, left)).0;
        }
    }

    /// Lets the delivery thread end after the batch in flight.
    pub(super) fn close(&self) {
        lock(&self.state).closed = true;
        self.changed.notify_all();
    }
}

impl OutboxState {
    fn check_rejections(&self, ticket: FlushTicket) -> Result<(), FlushError> {
        if self.rejections > ticket.rejections {
            Err(FlushError::Rejected(self.last_rejection.clone()))
        } else {
            Ok(())
        }
    }
}

/// One requested flush: its number, and the failures and rejections before it.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) struct FlushTicket {
    number: u64,
    failures: u64,
    rejections: u64,
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::record::DurationGroup;

    #[test]
    fn each_outage_that_drops_data_is_signalled_once() {
        let outbox = Outbox::default();
        let overflow = || {
            let group = |transactions: usize| DurationGroup {
                minute: UNIX_EPOCH,
                name: "test".to_owned(),
                kind: "".into(),
                result: "ok".into(),
                milliseconds: vec![1.0; transactions],
                head_milliseconds: Vec::new(),
            };
            let batch = || Batch { durations: vec![group(100_000)], ..Batch::default() };
            (0..30).filter(|_| outbox.push(batch())).count()
        };
        assert_eq!(overflow(), 1);
        assert_eq!(outbox.total_drops().transactions, 1_000_000);
        outbox.set_delivered();
        assert_eq!(overflow(), 1, "the next outage is signalled again");
    }
}

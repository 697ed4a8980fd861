//! Between the worker and the sender.

mod backlog;
mod load;
mod sums;

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use backlog::Backlog;

use super::losses::Losses;
use super::refusal::Refusal;
use super::{Batch, ExportError, FlushError};
use crate::record::Drops;

/// No server is obeyed that asks for a longer time: it would be the end of all reports.
const LONGEST_DELAY: Duration = Duration::from_secs(600);

/// The batches on their way, and those who wait for them.
#[derive(Default)]
pub(super) struct Outbox {
    losses: Losses,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    backlog: Backlog,
    in_flight: bool,
    /// Something was given up since the last delivery.
    loses: bool,
    /// The last flush that was asked for, and the last one that the worker has cut a batch for.
    requested: u64,
    cut: u64,
    /// Attempts that failed, and the last reason.
    failures: u64,
    last_failure: String,
    /// Refusals, and the last reason.
    refusals: u64,
    last_refusal: String,
    closed: bool,
}

impl Outbox {
    /// Adds a batch. Returns whether something of the oldest ones was given up to make room, for the first time since the
    /// last delivery: that is to be told, and once is enough.
    pub(super) fn push(&self, batch: Batch) -> bool {
        let mut state = self.lock();
        let lost = state.backlog.push(batch);
        let loses = lost.transactions > 0 || lost.errors > 0;
        let is_first = loses && !state.loses;
        state.loses |= loses;
        self.losses.add(lost);
        self.changed.notify_all();
        is_first
    }

    /// Notes what is lost.
    pub(super) fn lose(&self, drops: Drops) {
        self.losses.add(drops);
    }

    /// Notes what is lost because it was refused.
    pub(super) fn refused(&self, refusal: &Refusal) {
        self.losses.add(refusal.lost);
        self.losses.untell(refusal.untold);
        let mut state = self.lock();
        state.refusals += u64::from(!refusal.lost.is_empty());
        state.last_refusal.clone_from(&refusal.reason);
    }

    /// Returns what was lost since the start.
    pub(super) fn losses(&self) -> Drops {
        self.losses.total()
    }

    /// Returns what was lost since the last call, for the server to know.
    pub(super) fn take_untold_losses(&self) -> Drops {
        self.losses.take_untold()
    }

    /// Waits for the next batch. `None` when the outbox is closed.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.backlog.next() {
                state.in_flight = true;
                return Some(batch);
            }
            if state.closed {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that the batch on its way has arrived.
    pub(super) fn delivered(&self) {
        let mut state = self.lock();
        (state.in_flight, state.loses) = (false, false);
        self.changed.notify_all();
    }

    /// Notes that the batch on its way is lost.
    pub(super) fn abandoned(&self, lost: Drops) {
        self.losses.add(lost);
        self.lock().in_flight = false;
        self.changed.notify_all();
    }

    /// Puts back what could not be delivered, and waits before the next attempt. A flush cuts the wait short.
    pub(super) fn failed(&self, batch: Batch, error: &ExportError, delay: Duration) {
        let until = Instant::now() + delay.min(LONGEST_DELAY);
        let mut state = self.lock();
        state.backlog.put_back(batch);
        state.in_flight = false;
        state.failures += 1;
        state.last_failure.clone_from(&error.message);
        if state.closed {
            // Nobody waits for another attempt any more.
            self.losses.add(state.backlog.clear());
        }
        self.changed.notify_all();
        let requested = state.requested;
        while !state.closed && state.requested == requested {
            let Some(left) = until.checked_duration_since(Instant::now()) else {
                break;
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Asks for a flush; the returned ticket is what to wait for.
    pub(super) fn request_flush(&self) -> Result<Ticket, FlushError> {
        let mut state = self.lock();
        if state.closed {
            return Err(FlushError::ShutDown);
        }
        state.requested += 1;
        self.changed.notify_all();
        Ok(Ticket { number: state.requested, failures: state.failures, refusals: state.refusals })
    }

    /// Returns the last flush that was asked for.
    pub(super) fn requested(&self) -> u64 {
        self.lock().requested
    }

    /// Notes that all that was recorded before a flush was asked for is here.
    pub(super) fn set_cut(&self, number: u64) {
        self.lock().cut = number;
        self.changed.notify_all();
    }

    /// Waits until all that a flush asked for is delivered, an attempt since then has failed, or the deadline is there.
    pub(super) fn wait_for(&self, ticket: Ticket, deadline: Instant, timeout: Duration) -> Result<(), FlushError> {
        let mut state = self.lock();
        loop {
            if state.cut >= ticket.number && state.backlog.is_empty() && !state.in_flight {
                return state.refused_since(ticket);
            }
            if state.failures > ticket.failures {
                return Err(FlushError::Undelivered(state.last_failure.clone()));
            }
            let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                return Err(FlushError::Deadline(timeout));
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets the sender end after what is on its way.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn refused_since(&self, ticket: Ticket) -> Result<(), FlushError> {
        if self.refusals > ticket.refusals { Err(FlushError::Lost(self.last_refusal.clone())) } else { Ok(()) }
    }
}

/// Stands for one flush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    number: u64,
    failures: u64,
    refusals: u64,
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::record::DurationGroup;

    #[test]
    fn an_outage_that_lasts_too_long_is_told_once() {
        let outbox = Outbox::default();
        let overflow = || {
            let group = |transactions: usize| DurationGroup {
                minute: UNIX_EPOCH,
                name: "test".to_owned(),
                kind: "".into(),
                result: "ok".into(),
                milliseconds: vec![1.0; transactions],
            };
            let batch = || Batch { durations: vec![group(100_000)], ..Batch::default() };
            (0..30).filter(|_| outbox.push(batch())).count()
        };
        assert_eq!(overflow(), 1);
        assert_eq!(outbox.losses().transactions, 1_000_000);
        outbox.delivered();
        assert_eq!(overflow(), 1, "the next outage is another one");
    }
}

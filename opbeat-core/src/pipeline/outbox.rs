//! Between the worker and the sender.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::losses::Losses;
use super::refusal::Refusal;
use super::{Batch, ExportError, FlushError};
use crate::record::Drops;

/// Transactions that wait for a server, at the most: 8 MB of durations.
const MAX_TRANSACTIONS: usize = 2_000_000;

/// Batches that wait, at the most. The worker makes them larger while one waits, and so few are enough.
const MAX_BATCHES: usize = 64;

/// Samples and errors that wait, at the most. They are large, and old ones tell less than new ones.
const MAX_SAMPLES: usize = 1_000;
const MAX_ERRORS: usize = 1_000;

/// The batches on their way, and those who wait for them.
#[derive(Default)]
pub(super) struct Outbox {
    losses: Losses,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    batches: VecDeque<Batch>,
    in_flight: bool,
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
    /// Adds a batch. Returns how many transactions were dropped to make room: those of the oldest batches.
    pub(super) fn push(&self, batch: Batch) -> u64 {
        let mut state = self.lock();
        state.batches.push_back(batch);
        let (lost, untold) = state.make_room();
        self.losses.add(lost);
        self.losses.untell(untold);
        self.changed.notify_all();
        lost.transactions
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

    /// Returns how many batches wait or are on their way.
    pub(super) fn len(&self) -> usize {
        let state = self.lock();
        state.batches.len() + usize::from(state.in_flight)
    }

    /// Waits for the next batch. `None` when the outbox is closed.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
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
        self.lock().in_flight = false;
        self.changed.notify_all();
    }

    /// Puts back what could not be delivered, and waits before the next attempt. A flush cuts the wait short.
    pub(super) fn failed(&self, batch: Batch, error: &ExportError, delay: Duration) {
        let until = Instant::now() + delay;
        let mut state = self.lock();
        state.batches.push_front(batch);
        state.in_flight = false;
        state.failures += 1;
        state.last_failure.clone_from(&error.message);
        if state.closed {
            // Nobody waits for another attempt any more.
            state.batches.clear();
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
            if state.cut >= ticket.number && state.batches.is_empty() && !state.in_flight {
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

    /// Returns what was dropped, and what the server was to be told of and will not be.
    fn make_room(&mut self) -> (Drops, Drops) {
        let (mut lost, mut untold) = (self.thin_out(), Drops::default());
        let mut transactions: usize = self.batches.iter().map(Batch::transactions).sum();
        while self.batches.len() > 1 && (self.batches.len() > MAX_BATCHES || transactions > MAX_TRANSACTIONS) {
            let Some(oldest) = self.batches.pop_front() else { break };
            transactions -= oldest.transactions();
            lost += oldest.contents();
            untold += oldest.drops;
        }
        (lost, untold)
    }

    /// Drops the samples and errors of the oldest batches, as far as there are too many.
    fn thin_out(&mut self) -> Drops {
        let (mut samples, mut errors, mut lost) = (0, 0, Drops::default());
        for batch in self.batches.iter_mut().rev() {
            samples += batch.samples.len();
            errors += batch.errors.len();
            if samples > MAX_SAMPLES {
                lost.samples += batch.samples.len() as u64;
                batch.samples.clear();
            }
            if errors > MAX_ERRORS {
                lost.errors += batch.occurrences();
                batch.errors.clear();
            }
        }
        lost
    }
}

/// Stands for one flush.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    number: u64,
    failures: u64,
    refusals: u64,
}

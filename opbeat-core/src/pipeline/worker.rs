//! The thread that turns what happened into batches.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::outbox::Outbox;
use super::queue::{CapturedError, Queue};
use super::samples::Samples;
use super::symbols::Symbols;
use super::{Batch, Clock, scrub};
use crate::notice;
use crate::record::ErrorRecord;

/// How long the worker rests between two looks into the queue while there is traffic.
const REST: Duration = Duration::from_millis(10);

/// Transactions that the worker takes before it looks after the rest of its work.
const TURN: usize = 16_384;

/// How long the worker sleeps when there is none. Who finds it asleep wakes it; a wake-up that gets lost between two
/// processors costs no more than this.
const IDLE: Duration = Duration::from_secs(1);

/// A batch that counts this many transactions is cut before its time.
const MAX_TRANSACTIONS: usize = 50_000;

/// A batch carries this many errors; the rest are counted.
const MAX_ERRORS: usize = 500;

/// While this many batches wait for the server, the worker makes larger ones instead of more.
const BACKLOG: usize = 2;

/// An error waits this long for its transaction's end, so that it can tell the name and the result.
const PATIENCE: Duration = Duration::from_secs(2);

/// Counts, samples and completes what the queue holds, and cuts it into batches.
pub(super) struct Worker {
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
    flush_interval: Duration,
    clock: Clock,
    counts: Counts,
    samples: Samples,
    symbols: Symbols,
    errors: Vec<ErrorRecord>,
    dropped_errors: u64,
    waiting: Vec<(Instant, Box<CapturedError>)>,
    due: Option<Instant>,
    cut: u64,
}

impl Worker {
    pub(super) fn spawn(queue: &Arc<Queue>, outbox: Arc<Outbox>, flush_interval: Duration) -> std::io::Result<()> {
        let mut worker = Self {
            queue: Arc::clone(queue),
            outbox,
            flush_interval,
            clock: Clock::now(),
            counts: Counts::default(),
            samples: Samples::default(),
            symbols: Symbols::default(),
            errors: Vec::new(),
            dropped_errors: 0,
            waiting: Vec::new(),
            due: None,
            cut: 0,
        };
        let thread = thread::Builder::new().name("opbeat-worker".to_owned()).spawn(move || worker.run())?;
        queue.set_worker(thread.thread().clone());
        Ok(())
    }

    fn run(&mut self) {
        loop {
            let turn = catch_unwind(AssertUnwindSafe(|| self.turn()));
            match turn {
                Ok(taken) if taken >= TURN => {}
                Ok(1..) => thread::park_timeout(REST),
                Ok(0) if self.queue.is_closed() => return,
                Ok(0) => self.sleep(),
                Err(_) => notice::error(format_args!("the worker panicked; it goes on with what comes next")),
            }
        }
    }

    /// Does what there is to do. Returns how many transactions and errors it took.
    fn turn(&mut self) -> usize {
        let requested = self.outbox.requested();
        let is_flush = requested > self.cut;
        let taken = self.drain(is_flush);
        if is_flush || self.is_due() {
            self.cut_batch();
        }
        if is_flush {
            self.cut = requested;
            self.outbox.set_cut(requested);
        }
        taken
    }

    fn drain(&mut self, is_flush: bool) -> usize {
        self.clock = Clock::now();
        let mut taken = 0;
        while let Some(error) = self.queue.pop_error() {
            self.waiting.push((Instant::now() + PATIENCE, error));
            taken += 1;
        }
        // Those that wait now, when a flush asks for them; else no more than a turn, however fast more come.
        let limit = if is_flush { self.queue.len().max(TURN) } else { TURN };
        while taken < limit
            && let Some(transaction) = self.queue.pop_transaction()
        {
            let mut record = transaction.take(&self.clock);
            self.counts.add(&mut record);
            self.samples.offer(record);
            taken += 1;
        }
        if let Some(overflow) = self.queue.take_overflow() {
            self.counts.merge(*overflow);
            taken += 1;
        }
        self.complete_errors(is_flush);
        if taken > 0 {
            self.due.get_or_insert(Instant::now() + self.flush_interval);
        }
        taken
    }

    /// Completes the errors whose transactions have ended, or that have waited long enough.
    fn complete_errors(&mut self, is_flush: bool) {
        let now = Instant::now();
        let is_ready = |(until, error): &mut (Instant, Box<CapturedError>)| {
            is_flush || *until <= now || error.transaction.as_ref().is_none_or(|transaction| transaction.has_ended())
        };
        let ready: Vec<_> = self.waiting.extract_if(.., is_ready).collect();
        for (_, error) in ready {
            self.complete_error(*error);
        }
    }

    fn complete_error(&mut self, error: CapturedError) {
        if self.errors.len() >= MAX_ERRORS {
            self.dropped_errors += 1;
            return;
        }
        let CapturedError { mut record, transaction } = error;
        if let Some(transaction) = transaction {
            transaction.complete_error(&mut record);
        }
        self.symbols.complete(&mut record);
        scrub::error(&mut record);
        self.errors.push(record);
    }

    /// While the server is away, batches grow instead of multiplying.
    fn is_due(&self) -> bool {
        let is_full = self.counts.total() >= MAX_TRANSACTIONS;
        let is_time = self.due.is_some_and(|due| due <= Instant::now());
        is_full || (is_time && self.outbox.len() < BACKLOG)
    }

    fn cut_batch(&mut self) {
        self.due = None;
        let (durations, breakdown) = self.counts.take();
        let mut samples = self.samples.take();
        samples.iter_mut().for_each(scrub::transaction);
        let batch = Batch {
            id: fastrand::u128(..),
            durations,
            breakdown,
            samples,
            errors: mem::take(&mut self.errors),
            dropped_errors: mem::take(&mut self.dropped_errors) + self.queue.take_dropped_errors(),
        };
        if batch.is_empty() {
            return;
        }
        warn_of_loss(batch.dropped_errors, self.outbox.push(batch));
    }

    /// Waits for the next transaction, or until a batch is due.
    fn sleep(&self) {
        let errors = self.waiting.iter().map(|(until, _)| *until).min();
        let until = self.due.into_iter().chain(errors).min();
        let queue = &self.queue;
        match until {
            Some(until) => {
                let rest = until.saturating_duration_since(Instant::now()).max(REST);
                queue.sleep(|| thread::park_timeout(rest));
            }
            None => queue.sleep(|| thread::park_timeout(IDLE)),
        }
    }
}

fn warn_of_loss(errors: u64, transactions: usize) {
    if errors > 0 {
        notice::warn(format_args!("{errors} errors were not reported, because there were too many at once"));
    }
    if transactions > 0 {
        notice::warn(format_args!(
            "{transactions} transactions are lost: the server has been away for longer than memory lasts"
        ));
    }
}

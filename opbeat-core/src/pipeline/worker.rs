//! The thread that turns what happened into batches.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::errors::{CapturedError, Storm, Waiting};
use super::outbox::Outbox;
use super::queue::Queue;
use super::symbols::Symbols;
use super::{Batch, Clock, Finished, Settings, scrub};
use crate::notice;
use crate::record::{Drops, ErrorRecord};

/// How long the worker rests between two looks into the queue while there is traffic.
const REST: Duration = Duration::from_millis(10);

/// Transactions that the worker takes before it looks after the rest of its work.
const TURN: usize = 16_384;

/// How long the worker sleeps when there is none. Who finds it asleep wakes it; a wake-up that gets lost between two
/// processors costs no more than this.
const IDLE: Duration = Duration::from_secs(1);

/// A batch carries this many errors; the rest are counted.
const MAX_ERRORS: usize = 500;

/// While this many batches wait for the server, the worker makes larger ones instead of more.
const BACKLOG: usize = 2;

/// Counts, samples and completes what the queue holds, and cuts it into batches.
pub(super) struct Worker {
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
    counts: Counts,
    waiting: Waiting,
    storm: Storm,
    symbols: Symbols,
    errors: Vec<ErrorRecord>,
    due: Option<Instant>,
    cut: u64,
}

impl Worker {
    pub(super) fn spawn(queue: &Arc<Queue>, outbox: Arc<Outbox>) -> std::io::Result<()> {
        let mut worker = Self {
            queue: Arc::clone(queue),
            outbox,
            counts: Counts::default(),
            waiting: Waiting::default(),
            storm: Storm::default(),
            symbols: Symbols::default(),
            errors: Vec::new(),
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
        let now = Instant::now();
        let mut taken = self.waiting.fill(&self.queue, now);
        taken += self.drain_transactions(is_flush);
        self.drain_overflow(now);
        let ready = if is_flush { self.waiting.take_all() } else { self.waiting.take_ready(now) };
        for error in ready {
            if let Some(error) = self.storm.admit(error, now) {
                self.complete_error(error);
            }
        }
        if taken > 0 {
            self.due.get_or_insert(now + self.settings().flush_interval);
        }
        taken
    }

    /// Takes those that wait now, when a flush asks for them; else no more than a turn, however fast more come.
    fn drain_transactions(&mut self, is_flush: bool) -> usize {
        let clock = Clock::now();
        let limit = if is_flush { self.queue.len().max(TURN) } else { TURN };
        let mut taken = 0;
        while taken < limit
            && let Some(transaction) = self.queue.pop_transaction()
        {
            self.count(&clock, transaction);
            taken += 1;
        }
        taken
    }

    fn count(&mut self, clock: &Clock, transaction: Arc<dyn Finished>) {
        let (mut place, mut spans) = (None, 0);
        let settings = self.queue.settings();
        transaction.look(clock, &mut |record| {
            place = self.counts.add(record, settings);
            spans = u64::from(record.dropped_spans);
        });
        if spans > 0 {
            self.outbox.lose(Drops { spans, ..Drops::default() });
        }
        if let Some(place) = place {
            self.counts.keep(&place, transaction.take());
        }
        transaction.recycle();
    }

    /// Adds what was only counted, since a queue was full.
    fn drain_overflow(&mut self, now: Instant) {
        if let Some(overflow) = self.queue.take_overflow() {
            self.counts.merge(*overflow, self.queue.settings());
        }
        let repeats = self.queue.take_error_overflow();
        self.outbox.lose(Drops { errors: repeats.uncounted(), ..Drops::default() });
        self.storm.add(repeats, now);
    }

    fn complete_error(&mut self, error: CapturedError) {
        if self.errors.len() >= MAX_ERRORS {
            let errors = error.record.occurrences;
            self.outbox.lose(Drops { errors, ..Drops::default() });
            return;
        }
        let mut record = error.complete();
        self.symbols.complete(&mut record);
        scrub::error(&mut record, &self.settings().secrets);
        self.errors.push(record);
    }

    /// While the server is away, batches grow instead of multiplying.
    fn is_due(&self) -> bool {
        let is_time = self.due.is_some_and(|due| due <= Instant::now());
        self.counts.is_full() || (is_time && self.outbox.len() < BACKLOG)
    }

    fn cut_batch(&mut self) {
        self.due = None;
        for error in self.storm.take_held() {
            self.complete_error(error);
        }
        let (durations, breakdown, mut samples) = self.counts.take();
        samples.iter_mut().for_each(|sample| scrub::transaction(sample, &self.settings().secrets));
        let batch = Batch {
            id: fastrand::u128(..),
            durations,
            breakdown,
            samples,
            errors: mem::take(&mut self.errors),
            drops: self.outbox.take_untold_losses(),
        };
        if !batch.is_empty() {
            warn_of_loss(batch.drops.errors, self.outbox.push(batch));
        }
    }

    /// Waits for the next transaction, or until a batch is due.
    fn sleep(&self) {
        let until = self.due.into_iter().chain(self.waiting.until()).min();
        let queue = &self.queue;
        match until {
            Some(until) => {
                let rest = until.saturating_duration_since(Instant::now()).max(REST);
                queue.sleep(|| thread::park_timeout(rest));
            }
            None => queue.sleep(|| thread::park_timeout(IDLE)),
        }
    }

    fn settings(&self) -> &Settings {
        self.queue.settings()
    }
}

fn warn_of_loss(errors: u64, transactions: u64) {
    if errors > 0 {
        notice::warn(format_args!("{errors} errors were not reported, because there were too many different ones"));
    }
    if transactions > 0 {
        notice::warn(format_args!(
            "{transactions} transactions are lost: the server has been away for longer than memory lasts"
        ));
    }
}

//! The thread that turns what happened into batches.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::counts::Counts;
use super::errors::{PendingError, Storm, Waiting};
use super::outbox::Outbox;
use super::queue::Queue;
use super::symbols::Symbols;
use super::{Batch, Settings, scrub};
use crate::caught::caught;
use crate::notice;
use crate::record::{Drops, ErrorRecord};

/// How long the worker rests between two looks after errors that wait for the end of their transaction.
const REST: Duration = Duration::from_millis(100);

/// How long the worker sleeps at the most: then it looks after errors that are too few to wake it. A wake-up that gets
/// lost between two processors costs no more than this.
const IDLE: Duration = Duration::from_secs(1);

/// A batch carries this many errors; the rest are counted.
const MAX_ERRORS: usize = 500;

/// A storm of different errors is told so often at the most.
const TELLING: Duration = Duration::from_secs(60);

/// Counts, samples and completes what the queue holds, and cuts it into batches.
pub(super) struct Worker {
    queue: Arc<Queue>,
    outbox: Arc<Outbox>,
    counts: Counts,
    waiting: Waiting,
    storm: Storm,
    symbols: Symbols,
    errors: Vec<ErrorRecord>,
    /// When the next batch is due.
    due: Instant,
    cut: u64,
    /// Errors that were left out and not told of in the log, and when that is due.
    left_out: u64,
    telling: Instant,
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
            due: Instant::now() + queue.settings().flush_interval,
            cut: 0,
            left_out: 0,
            telling: Instant::now(),
        };
        let thread = thread::Builder::new().name("opbeat-worker".to_owned()).spawn(move || worker.run())?;
        queue.set_worker(thread.thread().clone());
        Ok(())
    }

    fn run(&mut self) {
        while !self.queue.is_closed() {
            if caught(|| self.turn()).is_none() {
                notice::error(format_args!("the worker panicked; it goes on with what comes next"));
                self.due = Instant::now() + self.settings().flush_interval;
            }
            self.sleep();
        }
    }

    /// Does what there is to do.
    fn turn(&mut self) {
        let requested = self.outbox.requested();
        let is_flush = requested > self.cut;
        self.drain_errors(is_flush);
        let now = Instant::now();
        if is_flush || self.queue.is_full() || now >= self.due {
            self.due = now + self.settings().flush_interval;
            self.queue.drain_counts(&mut self.counts);
            self.outbox.lose(self.counts.take_drops());
            self.cut_batch();
        }
        if is_flush {
            self.cut = requested;
            self.outbox.set_cut(requested);
        }
    }

    fn drain_errors(&mut self, is_flush: bool) {
        let now = Instant::now();
        self.waiting.fill(&self.queue, now);
        let repeats = self.queue.take_error_overflow();
        let uncounted = self.storm.add(repeats, now);
        self.leave_out(uncounted);
        let ready = if is_flush { self.waiting.take_all(now) } else { self.waiting.take_ready(now) };
        for error in ready {
            if let Some(error) = self.storm.admit(error, now) {
                self.complete_error(error);
            }
        }
    }

    fn complete_error(&mut self, error: PendingError) {
        if self.errors.len() >= MAX_ERRORS {
            return self.leave_out(error.record.occurrences);
        }
        let mut record = error.complete();
        if self.settings().ignore.error(&record) {
            return;
        }
        self.symbols.complete(&mut record);
        scrub::error(&mut record, &self.settings().secrets);
        self.errors.push(record);
    }

    /// Counts errors that are too many or too different.
    fn leave_out(&mut self, errors: u64) {
        self.left_out += errors;
        self.outbox.lose(Drops { errors, ..Drops::default() });
    }

    fn cut_batch(&mut self) {
        for error in self.storm.take_held() {
            self.complete_error(error);
        }
        let (mut durations, mut breakdown, mut samples) = self.counts.take();
        let secrets = &self.settings().secrets;
        scrub::counts(&mut durations, &mut breakdown, secrets);
        samples.iter_mut().for_each(|sample| scrub::transaction(sample, secrets));
        let batch = Batch {
            id: fastrand::u128(..),
            durations,
            breakdown,
            samples,
            errors: mem::take(&mut self.errors),
            drops: self.outbox.take_untold_losses(),
            ..Batch::default()
        };
        if !batch.is_empty() && self.outbox.push(batch) {
            notice::warn(format_args!(
                "the server has been away for longer than memory lasts: the oldest transactions and errors are lost \
                 from now on. `Agent::diagnose` tells how many, and the server will show it"
            ));
        }
        self.tell_left_out();
    }

    fn tell_left_out(&mut self) {
        let now = Instant::now();
        if self.left_out > 0 && now >= self.telling {
            let errors = mem::take(&mut self.left_out);
            self.telling = now + TELLING;
            notice::warn(format_args!("{errors} errors were not reported, because there were too many different ones"));
        }
    }

    /// Waits until a batch is due, many errors came, or a thread has counted too much.
    fn sleep(&self) {
        let longest = if self.waiting.is_empty() { IDLE } else { REST };
        let rest = self.due.saturating_duration_since(Instant::now()).min(longest);
        self.queue.sleep(|| thread::park_timeout(rest));
    }

    fn settings(&self) -> &Settings {
        self.queue.settings()
    }
}

//! The thread that turns counts and errors into batches.

use std::mem;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::before_send::Decision;
use super::counting::Counts;
use super::delivery::{Batch, Outboxes};
use super::errors::{PendingError, RateLimit, WaitingErrors};
use super::freezes::Freezes;
use super::queue::Queue;
use super::scrub;
use super::settings::Settings;
use super::symbols::Symbols;
use crate::caught::caught;
use crate::notice;
use crate::record::{Drops, ErrorRecord};

/// The longest sleep while errors wait for the end of their transaction.
const SLEEP_WITH_WAITING_ERRORS: Duration = Duration::from_millis(100);

/// The shortest sleep that the blocking threshold asks for.
const SHORTEST_TICK: Duration = Duration::from_millis(20);

/// The longest sleep. Errors that are too few to wake the worker are seen after it, and so is a wake-up that is lost
/// between two processors.
const LONGEST_SLEEP: Duration = Duration::from_secs(1);

/// The largest number of errors in one batch. Further errors are dropped and counted.
const MAX_ERRORS: usize = 500;

/// The shortest time between two log lines about dropped errors.
const DROP_LOG_INTERVAL: Duration = Duration::from_secs(60);

/// Drains the queue, completes samples and errors, and makes a batch of them once per interval.
pub(super) struct Worker {
    queue: Arc<Queue>,
    outboxes: Outboxes,
    counts: Counts,
    waiting: WaitingErrors,
    rate_limit: RateLimit,
    symbols: Symbols,
    freezes: Freezes,
    errors: Vec<ErrorRecord>,
    next_batch_at: Instant,
    /// The last flush that a batch was made for.
    flushed: u64,
    /// The number of dropped errors that the log does not mention yet.
    unlogged_drops: u64,
    next_drop_log_at: Instant,
}

impl Worker {
    pub(super) fn spawn(queue: &Arc<Queue>, outboxes: Outboxes) -> std::io::Result<()> {
        let mut worker = Self {
            queue: Arc::clone(queue),
            outboxes,
            counts: Counts::default(),
            waiting: WaitingErrors::default(),
            rate_limit: RateLimit::default(),
            symbols: Symbols::default(),
            freezes: Freezes::default(),
            errors: Vec::new(),
            next_batch_at: Instant::now() + queue.settings().flush_interval,
            flushed: 0,
            unlogged_drops: 0,
            next_drop_log_at: Instant::now(),
        };
        let thread = thread::Builder::new().name("opbeat-worker".to_owned()).spawn(move || worker.run())?;
        queue.set_worker(thread.thread().clone());
        Ok(())
    }

    fn run(&mut self) {
        while !self.queue.is_closed() {
            if caught(|| self.turn()).is_none() {
                notice::error(format_args!(
                    "the worker thread panicked; it continues with new data. This is a bug in opbeat-core: please report \
                     it"
                ));
                self.next_batch_at = Instant::now() + self.settings().flush_interval;
            }
            self.sleep();
        }
    }

    /// Drains the queue, and makes a batch if one is due.
    fn turn(&mut self) {
        let requested = self.outboxes.requested_flush();
        let is_flush = requested > self.flushed;
        self.drain_errors(is_flush);
        let now = Instant::now();
        if is_flush || self.queue.is_full() || now >= self.next_batch_at {
            self.next_batch_at = now + self.settings().flush_interval;
            self.queue.drain_counts(&mut self.counts);
            self.outboxes.add_drops(self.counts.take_drops());
            self.make_batch();
        }
        if is_flush {
            self.flushed = requested;
            self.outboxes.set_flushed(requested);
        }
    }

    fn drain_errors(&mut self, is_flush: bool) {
        let now = Instant::now();
        self.waiting.fill(|| self.queue.pop_error(), now);
        let overflow = self.queue.take_overflow();
        let uncounted = self.rate_limit.add_overflow(overflow, now);
        self.drop_errors(uncounted);
        let ready = if is_flush { self.waiting.take_all(now) } else { self.waiting.take_ready(now) };
        let threshold = Duration::from_nanos(self.settings().blocking_threshold);
        for error in ready {
            if error.record.long_poll.is_some_and(|poll| self.freezes.explain(&poll, threshold)) {
                continue;
            }
            if let Some(error) = self.rate_limit.admit(error, now) {
                self.complete_error(error);
            }
        }
    }

    fn complete_error(&mut self, error: PendingError) {
        if self.errors.len() >= MAX_ERRORS {
            return self.drop_errors(error.record.occurrences);
        }
        let mut record = error.complete();
        if self.settings().ignore.matches_error(&record) {
            return;
        }
        self.symbols.complete(&mut record);
        match self.settings().before_send.error(&mut record) {
            Decision::Send => {}
            Decision::Discard => return,
            // The log line for dropped errors is about another cause.
            Decision::Failed => {
                return self.outboxes.add_drops(Drops { errors: record.occurrences, ..Drops::default() });
            }
        }
        scrub::error(&mut record, &self.settings().secrets);
        self.errors.push(record);
    }

    /// Counts errors that are dropped because too many different ones came at once.
    fn drop_errors(&mut self, errors: u64) {
        self.unlogged_drops += errors;
        self.outboxes.add_drops(Drops { errors, ..Drops::default() });
    }

    fn make_batch(&mut self) {
        for error in self.rate_limit.take_representatives() {
            self.complete_error(error);
        }
        let (mut durations, mut breakdown, mut samples) = self.counts.take();
        for sample in &mut samples {
            self.symbols.complete_spans(sample).iter().for_each(|foreign| self.queue.stacks().note_foreign(foreign));
        }
        let secrets = &self.settings().secrets;
        scrub::counts(&mut durations, &mut breakdown, secrets);
        let mut check_ins = self.queue.take_check_ins();
        check_ins.iter_mut().for_each(|check_in| scrub::check_in(check_in, secrets));
        let mut failed = 0;
        samples.retain_mut(|sample| {
            let decision = self.settings().before_send.sample(sample);
            failed += u64::from(decision == Decision::Failed);
            decision == Decision::Send
        });
        self.outboxes.add_drops(Drops { samples: failed, ..Drops::default() });
        samples.iter_mut().for_each(|sample| scrub::transaction(sample, secrets));
        let batch = Batch {
            id: fastrand::u128(..),
            durations,
            breakdown,
            samples,
            errors: mem::take(&mut self.errors),
            check_ins,
            ..Batch::default()
        };
        if self.outboxes.push(batch) {
            notice::warn(format_args!(
                "the server has been away for so long that the memory for undelivered data is full: the oldest \
                 transactions and errors are dropped from now on. `Agent::diagnose` shows how many, and so does the \
                 server when it is back"
            ));
        }
        self.log_drops();
    }

    fn log_drops(&mut self) {
        let now = Instant::now();
        if self.unlogged_drops > 0 && now >= self.next_drop_log_at {
            let errors = mem::take(&mut self.unlogged_drops);
            self.next_drop_log_at = now + DROP_LOG_INTERVAL;
            notice::warn(format_args!(
                "too many different errors came at once: {errors} dropped since the last such line; the server shows \
                 their number"
            ));
        }
    }

    /// Sleeps until a batch is due, many errors are queued, or a shard is full.
    ///
    /// It also wakes twice within the blocking threshold, to notice when the whole process was frozen.
    fn sleep(&mut self) {
        let longest = if self.waiting.is_empty() { LONGEST_SLEEP } else { SLEEP_WITH_WAITING_ERRORS };
        let tick = Duration::from_nanos(self.settings().blocking_threshold / 2).max(SHORTEST_TICK);
        let since = Instant::now();
        let time = self.next_batch_at.saturating_duration_since(since).min(longest).min(tick);
        self.queue.sleep(|| thread::park_timeout(time));
        self.freezes.note_sleep(since, time, Instant::now());
    }

    fn settings(&self) -> &Settings {
        self.queue.settings()
    }
}

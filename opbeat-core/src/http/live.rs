//! What one request keeps from its arrival to its end.

use std::sync::Arc;
use std::time::Duration;

use super::name::{MethodKind, unmatched};
use super::work::Work;
use crate::capture::{blocked_record, status_record};
use crate::pipeline::Recorder;
use crate::record::{Outcome, RequestRecord};
use crate::transaction::{Active, Context, End, Pool, Words};

thread_local! {
    /// Where requests keep what they need, so that what an adapter's future and body carry is one pointer.
    static POOL: Pool<Box<Live>> = const { Pool::new() };
}

/// What one request keeps from its arrival to its end.
#[derive(Default)]
pub(super) struct Live {
    pub(super) context: Context,
    pub(super) method: MethodKind,
    status: Option<u16>,
    pub(super) outcome: Option<Outcome>,
    /// Nanoseconds from the start to the head.
    head: Option<u64>,
    work: Work,
    body_was_polled: bool,
    /// When the body last gave something: at its last byte, that is the end.
    gave: Option<u64>,
    pub(super) time_limit: Option<Duration>,
    /// Bytes of the body until its end, where the head says how many there are.
    left: Option<u64>,
    pub(super) words: Option<Words>,
}

impl Live {
    /// Begins a request's transaction, in the memory of one that is done with where there is one.
    #[inline]
    pub(super) fn begin(
        recorder: &Recorder,
        kind: &'static str,
        method: &str,
        describe: impl FnOnce(&mut RequestRecord),
    ) -> Box<Self> {
        let mut live = Pool::take(&POOL).unwrap_or_default();
        let active = live.context.transaction.get_or_insert_with(|| Arc::new(Active::new(recorder)));
        if let Some(room) = Arc::get_mut(active) {
            Active::begin_request(room, recorder, kind, unmatched(method), describe);
        }
        live.method = MethodKind::of(method);
        live.work = Work::begin();
        live
    }

    #[inline]
    pub(super) fn resume(&mut self) {
        if self.head.is_none() || self.watches_body() {
            let context = &self.context;
            self.work.resume(|| nanoseconds(context));
        }
    }

    #[inline]
    pub(super) fn pause(&mut self, is_pending: bool) {
        let is_body = self.head.is_some();
        // The head reads the clock by itself.
        if is_pending || (is_body && self.watches_body()) {
            let now = nanoseconds(&self.context);
            self.work.pause(now);
            self.gave = (is_body && !is_pending).then_some(now);
        }
        self.body_was_polled = is_body;
    }

    /// Returns whether the next poll of the body is measured. A body of a known length most often is there already, and
    /// its first poll the last one: that reads no clock.
    #[inline]
    fn watches_body(&self) -> bool {
        self.body_was_polled || self.left.is_none()
    }

    #[inline]
    pub(super) fn note_head(&mut self, status: u16) {
        self.status = Some(status);
        let now = nanoseconds(&self.context);
        self.head = Some(now);
        self.work.pause(now);
    }

    pub(super) fn declare_length(&mut self, length: u64) -> bool {
        self.left = Some(length);
        length == 0
    }

    #[inline]
    pub(super) fn note_sent(&mut self, bytes: u64) -> bool {
        let Some(left) = &mut self.left else { return false };
        *left = left.saturating_sub(bytes);
        *left == 0
    }

    /// Reports an answer of 5xx that nobody reported an error for: the request failed all the same.
    pub(super) fn report_failed_response(&self) {
        let Some(active) = &self.context.transaction else { return };
        let outcome = active.outcome().or(self.outcome).unwrap_or_else(|| self.method.outcome(self.status));
        if outcome == Outcome::ServerError && !active.has_error() {
            active.report_error(status_record(self.status));
        }
    }

    pub(super) fn end(mut self: Box<Self>, outcome: Option<Outcome>) {
        let last_byte = self.gave.filter(|_| outcome.is_none()).map(Duration::from_nanos);
        let is_forced = self.is_forced(outcome);
        let outcome = outcome.or(self.outcome).unwrap_or_else(|| self.method.outcome(self.status));
        self.outcome = Some(outcome);
        if outcome == Outcome::ServerError {
            self.report_failed_response();
        }
        let Some(active) = &mut self.context.transaction else { return };
        let duration = last_byte.unwrap_or_else(|| active.started.elapsed());
        self.work.pause(in_nanoseconds(duration));
        // What a panic takes is the hooks' time, and it is reported anyway.
        if outcome != Outcome::Panicked && self.work.longest() > active.recorder.blocking_threshold() {
            let longest = Duration::from_nanos(self.work.longest());
            active.report(blocked_record(longest));
        }
        let (status, head, busy) = (self.status, self.head, Some(self.work.busy()));
        let words = self.words.unwrap_or(Outcome::as_str);
        let is_free = Active::end(active, &End { duration, outcome, is_forced, status, words, head, busy });
        self.give_back(is_free);
    }

    /// Returns whether an end leaves the application nothing to say of it. A service that failed before its head does,
    /// since it may know better than we what its error means.
    fn is_forced(&self, end: Option<Outcome>) -> bool {
        let is_told = |outcome| outcome != Outcome::ServerError || self.head.is_some();
        end.is_some_and(is_told) || self.outcome == Some(Outcome::Panicked)
    }

    /// Keeps the memory for the next request, and the transaction's too if it is free.
    fn give_back(mut self: Box<Self>, is_free: bool) {
        let transaction = self.context.transaction.take().filter(|_| is_free);
        *self = Self { context: Context { transaction, ..Context::default() }, ..Self::default() };
        Pool::give_back(&POOL, self);
    }

    /// Ends a request that was dropped before its end.
    #[cold]
    pub(super) fn end_by_drop(self: Box<Self>) {
        let outcome = self.outcome_of_drop();
        self.end(Some(outcome));
    }

    /// Tells why a request was dropped before its end.
    fn outcome_of_drop(&self) -> Outcome {
        match self.time_limit {
            _ if std::thread::panicking() => Outcome::Panicked,
            Some(limit) if self.head.is_none() && self.is_late(limit) => Outcome::TimedOut,
            _ => Outcome::ClientGone,
        }
    }

    /// The limit's clock started before ours, by what lies between the two: a quarter of the limit is left for that.
    fn is_late(&self, limit: Duration) -> bool {
        let ran_for = self.context.transaction.as_ref().map(|active| active.started.elapsed());
        ran_for.is_some_and(|ran_for| ran_for >= limit - limit / 4)
    }
}

/// Returns the time since the transaction began.
#[inline]
fn nanoseconds(context: &Context) -> u64 {
    context.transaction.as_ref().map_or(0, |active| in_nanoseconds(active.started.elapsed()))
}

/// Five centuries fit.
#[inline]
fn in_nanoseconds(duration: Duration) -> u64 {
    duration.as_secs().wrapping_mul(1_000_000_000).wrapping_add(u64::from(duration.subsec_nanos()))
}

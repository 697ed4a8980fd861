//! The state of one HTTP request, from its arrival to its end.

use std::sync::Arc;
use std::time::Duration;

use super::name::{MethodKind, unmatched};
use super::work::Work;
use crate::capture::{caught_panic_record, incomplete_body_record, status_record};
use crate::pipeline::Recorder;
use crate::record::{Outcome, RequestRecord};
use crate::transaction::{Active, Context, End, Pool, ResultNames, nanoseconds};

thread_local! {
    /// The finished requests of this thread. A request's state is boxed, so that the adapter's future and body hold
    /// only a pointer to it.
    static POOL: Pool<Box<ActiveRequest>> = const { Pool::new() };
}

/// The state of one HTTP request, from its arrival to its end.
#[derive(Default)]
pub(super) struct ActiveRequest {
    pub(super) context: Context,
    /// An outer layer records the request. Only the context is used then.
    pub(super) is_joined: bool,
    method: MethodKind,
    status: Option<u16>,
    /// The outcome that the adapter set, whatever the status.
    pub(super) outcome: Option<Outcome>,
    /// Nanoseconds from the start to the response head.
    head: Option<u64>,
    work: Work,
    body_was_polled: bool,
    /// Nanoseconds from the start to the end of the last body poll that was ready. If no further poll follows, that was
    /// the end of the response body.
    last_ready: Option<u64>,
    pub(super) time_limit: Option<Duration>,
    /// The length of the body in bytes, if it is known.
    length: Option<u64>,
    /// The number of bytes of the body that were sent.
    sent: u64,
    pub(super) result_names: Option<ResultNames>,
}

impl ActiveRequest {
    /// Begins a request's transaction, and reuses the allocation of a finished one if one is available.
    #[inline]
    pub(super) fn begin(
        recorder: &Recorder,
        kind: &'static str,
        method: &str,
        describe: impl FnOnce(&mut RequestRecord),
    ) -> Box<Self> {
        let mut request = Pool::take(&POOL).unwrap_or_default();
        let active = request.context.transaction.get_or_insert_with(|| Arc::new(Active::new(recorder)));
        if let Some(room) = Arc::get_mut(active) {
            Active::begin_request(room, recorder, kind, unmatched(method), describe);
        }
        request.method = MethodKind::of(method);
        request.work = Work::begin();
        request
    }

    /// Joins the transaction of an outer layer, instead of recording the request again.
    #[cold]
    pub(super) fn join(context: Context) -> Box<Self> {
        Box::new(Self { context, is_joined: true, ..Self::default() })
    }

    /// Begins to measure a poll.
    #[inline]
    pub(super) fn resume(&mut self) {
        if self.head.is_none() || self.measures_body() {
            let context = &self.context;
            self.work.resume(|| since_start(context));
        }
    }

    /// Ends the measurement of a poll.
    #[inline]
    pub(super) fn pause(&mut self, is_pending: bool) {
        let is_body = self.head.is_some();
        // After a handler's last poll, `start_response` reads the clock.
        if is_pending || (is_body && self.measures_body()) {
            let now = since_start(&self.context);
            self.work.pause(now);
            self.last_ready = (is_body && !is_pending).then_some(now);
        }
        self.body_was_polled = is_body;
    }

    /// Returns whether the next poll of the body is measured. A body of a known length is usually complete in memory,
    /// so that its first poll is its last one: then no clock is read.
    #[inline]
    fn measures_body(&self) -> bool {
        self.body_was_polled || self.length.is_none()
    }

    /// Sets the status and the time of the response head. Returns whether the response has no body.
    #[inline]
    pub(super) fn start_response(&mut self, status: u16) -> bool {
        self.status = Some(status);
        let now = since_start(&self.context);
        self.head = Some(now);
        self.work.pause(now);
        if status >= 500 {
            self.report_failed_response();
        }
        self.method.has_no_body(status)
    }

    pub(super) fn set_body_length(&mut self, length: u64) -> bool {
        self.length = Some(length);
        length == 0
    }

    #[inline]
    pub(super) fn record_sent(&mut self, bytes: u64) -> bool {
        self.sent = self.sent.saturating_add(bytes);
        self.length.is_some_and(|length| self.sent >= length)
    }

    /// Reports a failed response if no error was reported for it, so that every failed request has a report.
    fn report_failed_response(&self) {
        let Some(active) = &self.context.transaction else { return };
        let outcome = active.outcome().or(self.outcome).unwrap_or_else(|| self.method.outcome(self.status));
        if outcome == Outcome::ServerError && !active.has_error() {
            active.report_error(status_record(self.status));
        }
    }
}

/// The end.
impl ActiveRequest {
    /// Ends the request at the end of its body. A body that is shorter than its declared length is a failure: servers
    /// close the connection, and the client gets an error.
    #[inline]
    pub(super) fn complete(self: Box<Self>) {
        match self.length {
            Some(length) if self.sent < length => self.end_incomplete(length),
            _ => self.end(None),
        }
    }

    #[cold]
    fn end_incomplete(self: Box<Self>, length: u64) {
        if let Some(active) = &self.context.transaction {
            active.report_error(incomplete_body_record(self.sent, length));
        }
        self.end(Some(Outcome::ServerError));
    }

    /// Ends the request, with an outcome or else with that of its status.
    pub(super) fn end(mut self: Box<Self>, outcome: Option<Outcome>) {
        let last_ready = self.last_ready.filter(|_| outcome.is_none()).map(Duration::from_nanos);
        let is_forced = self.is_forced(outcome);
        let outcome = outcome.or(self.outcome).unwrap_or_else(|| self.method.outcome(self.status));
        self.outcome = Some(outcome);
        if outcome == Outcome::ServerError {
            self.report_failed_response();
        }
        self.context.stop_carrying();
        let Some(active) = &mut self.context.transaction else { return };
        let duration = last_ready.unwrap_or_else(|| active.started.elapsed());
        self.work.pause(nanoseconds(duration));
        active.report_long_poll(outcome, self.work.longest());
        let (status, head, busy) = (self.status, self.head, Some(self.work.busy()));
        let sent = status.map(|_| self.sent);
        let result_names = self.result_names.unwrap_or(Outcome::as_str);
        let is_free =
            Active::end(active, &End { duration, outcome, is_forced, status, result_names, head, busy, sent });
        self.give_back(is_free);
    }

    /// Ends a request through which a panic unwinds, and reports the panic unless the hook has.
    pub(super) fn end_panicked(self: Box<Self>) {
        if let Some(active) = &self.context.transaction {
            active.report_unhooked_panic(|| caught_panic_record(None));
        }
        self.end(Some(Outcome::Panicked));
    }

    /// Ends a request that was dropped before its end.
    #[cold]
    pub(super) fn end_dropped(self: Box<Self>) {
        let outcome = self.outcome_of_drop();
        self.end(Some(outcome));
    }

    /// Returns whether an end overrides the outcome and the result that the application set.
    ///
    /// A service that failed before the response head does not, since the application knows better what its error
    /// means.
    fn is_forced(&self, end: Option<Outcome>) -> bool {
        let overrides = |outcome| outcome != Outcome::ServerError || self.head.is_some();
        end.is_some_and(overrides) || self.outcome == Some(Outcome::Panicked)
    }

    /// Keeps the allocation for the next request, and the transaction's allocation too if nothing else holds it.
    fn give_back(mut self: Box<Self>, is_free: bool) {
        let transaction = self.context.transaction.take().filter(|_| is_free);
        *self = Self { context: Context::of_any(transaction), ..Self::default() };
        Pool::give_back(&POOL, self);
    }

    /// Returns the reason why a request was dropped before its end.
    fn outcome_of_drop(&self) -> Outcome {
        match self.time_limit {
            _ if std::thread::panicking() => Outcome::Panicked,
            Some(limit) if self.head.is_none() && self.has_reached(limit) => Outcome::TimedOut,
            _ => Outcome::ClientGone,
        }
    }

    /// Returns whether the request was dropped by a time limit.
    ///
    /// The limit's clock started before the request's, by the time that the layers between the two took. A quarter of
    /// the limit is assumed for that.
    fn has_reached(&self, limit: Duration) -> bool {
        let ran_for = self.context.transaction.as_ref().map(|active| active.started.elapsed());
        ran_for.is_some_and(|ran_for| ran_for >= limit - limit / 4)
    }
}

/// Returns the nanoseconds since the transaction began.
#[inline]
fn since_start(context: &Context) -> u64 {
    context.transaction.as_ref().map_or(0, |active| nanoseconds(active.started.elapsed()))
}

//! A running transaction: its start, its names, its trace, its spans and its end.
//!
//! [`Active`] is the part that its owner, its handles and its spans share; everything that changes is in
//! [`TransactionState`], under a mutex. Its errors are in [`reports`](super::reports), and its spans in
//! [`timing`](super::timing).

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::end::{End, ResultNames, nanoseconds};
use super::spans::SpanRef;
use super::state::TransactionState;
use crate::capture::blocked_record;
use crate::clock::Instant;
use crate::lock::{lock, unpoisoned};
use crate::pipeline::Recorder;
use crate::record::{LongPoll, Outcome, RequestRecord, TraceParent, TransactionId, TransactionName, TransactionRecord};

/// A running transaction, shared by its owner, its handles and its spans.
pub(crate) struct Active {
    pub(crate) recorder: Recorder,
    pub(crate) id: TransactionId,
    pub(crate) started: Instant,
    /// Whether this is an HTTP request. A second layer around the same request then adds nothing.
    pub(crate) is_request: bool,
    pub(super) state: Mutex<TransactionState>,
}

/// The start.
impl Active {
    /// Begins a job: a transaction that is not an HTTP request.
    pub(crate) fn begin(recorder: &Recorder, kind: Cow<'static, str>, prepare: impl FnOnce(&mut Self)) -> Arc<Self> {
        let mut active = Self::new(recorder);
        active.start(kind);
        prepare(&mut active);
        active.recorder.note_begin();
        Arc::new(active)
    }

    /// Begins the transaction of an HTTP request in `room`: a new value, or a finished one that nothing else holds.
    #[inline]
    pub(crate) fn begin_request(
        room: &mut Self,
        recorder: &Recorder,
        kind: &'static str,
        name: TransactionName,
        describe: impl FnOnce(&mut RequestRecord),
    ) {
        if !room.recorder.is(recorder) {
            room.recorder = recorder.clone();
        }
        room.is_request = true;
        room.start(Cow::Borrowed(kind));
        let record = room.record();
        record.name = name;
        describe(record.request.get_or_insert_default());
        // The adapter's description may panic, and then there is no transaction.
        room.recorder.note_begin();
    }

    pub(crate) fn new(recorder: &Recorder) -> Self {
        let state = Mutex::default();
        Self { recorder: recorder.clone(), id: TransactionId(0), started: Instant::now(), is_request: false, state }
    }

    #[inline]
    fn start(&mut self, kind: Cow<'static, str>) {
        let id = TransactionId(fastrand::u128(..).max(1));
        self.id = id;
        self.started = Instant::now();
        let record = self.record();
        record.id = id;
        record.kind = kind;
    }

    #[inline]
    fn record(&mut self) -> &mut TransactionRecord {
        &mut unpoisoned(self.state.get_mut()).record
    }
}

/// The end.
impl Active {
    /// Ends a job now.
    pub(crate) fn end_job(mut self: Arc<Self>, outcome: Outcome, is_forced: bool, result_names: ResultNames) {
        let duration = self.started.elapsed();
        let polls = self.state().polls;
        self.report_long_poll(outcome, polls.unwrap_or_default().longest);
        let busy = polls.map(|polls| polls.busy);
        let (status, head, sent) = (None, None, None);
        Self::end(&mut self, &End { duration, outcome, is_forced, status, result_names, head, busy, sent });
    }

    /// Ends the transaction and counts it; a second call does nothing. Returns whether nothing else holds it, so that
    /// its memory can be reused for the next one.
    #[inline]
    pub(crate) fn end(this: &mut Arc<Self>, end: &End) -> bool {
        let Some(alone) = Arc::get_mut(this) else {
            this.state().end(end, true, &this.recorder, this.started);
            return false;
        };
        let state = unpoisoned(alone.state.get_mut());
        state.end(end, false, &alone.recorder, alone.started);
        state.clear();
        true
    }

    /// Reports a poll that took longer than the blocking threshold, in nanoseconds.
    #[inline]
    pub(crate) fn report_long_poll(self: &Arc<Self>, outcome: Outcome, longest: u64) {
        // A panic is reported anyway, and its panic hooks may take long.
        if outcome != Outcome::Panicked && longest > self.recorder.blocking_threshold() {
            let within = (self.started.to_system(), Instant::now().to_system());
            self.report(blocked_record(LongPoll { took: Duration::from_nanos(longest), within }));
        }
    }

    /// Adds a poll to the time that the transaction was busy.
    pub(crate) fn note_poll(&self, took: Duration) {
        self.change(|state| state.note_poll(nanoseconds(took)));
    }
}

/// The state that the application and its adapter set and read.
impl Active {
    /// Changes the state, unless the transaction has ended.
    pub(crate) fn change(&self, change: impl FnOnce(&mut TransactionState)) {
        let mut state = self.state();
        if !state.ended {
            change(&mut state);
        }
    }

    /// Names the transaction after its route, unless the application has set a name.
    pub(crate) fn set_route_name(&self, name: TransactionName) {
        self.state().set_route_name(name);
    }

    /// Does the same without a lock if nothing else holds the transaction yet, as is usual when a route is found.
    #[inline]
    pub(crate) fn set_route_name_mut(this: &mut Arc<Self>, name: TransactionName) {
        match Arc::get_mut(this) {
            Some(alone) => unpoisoned(alone.state.get_mut()).set_route_name(name),
            None => this.set_route_name(name),
        }
    }

    /// Names the transaction after its route, unless it has a route already.
    pub(crate) fn set_first_route_name(&self, find: impl FnOnce() -> Option<TransactionName>) {
        let has_route = self.state().has_route;
        if let Some(name) = (!has_route).then(find).flatten() {
            self.set_route_name(name);
        }
    }

    /// Returns the transaction's current name.
    pub(crate) fn route_name(&self) -> TransactionName {
        self.state().record.name.clone()
    }

    /// Returns the method and the target of the request.
    pub(crate) fn request_line(&self) -> Option<(String, String)> {
        let state = self.state();
        let request = state.record.request.as_ref()?;
        Some((request.method(), request.target()))
    }

    /// Returns the outcome that the application set.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state().outcome
    }

    pub(super) fn state(&self) -> MutexGuard<'_, TransactionState> {
        lock(&self.state)
    }

    /// Runs a closure while the state is locked, to test a panic in code that holds the lock.
    #[cfg(test)]
    pub(crate) fn while_locked(&self, work: impl FnOnce()) {
        let _state = self.state();
        work();
    }
}

/// The distributed trace.
impl Active {
    /// Sets the transaction that started this one, and inherits its trace, user and tags.
    pub(crate) fn set_parent(&mut self, parent: &Self) {
        let trace = parent.trace_parent(None);
        let state = unpoisoned(self.state.get_mut());
        (state.record.parent, state.record.trace) = (Some(parent.id), Some(trace));
        let parent = parent.state();
        (state.trace_state, state.baggage) = (parent.trace_state(), parent.baggage());
        state.record.user.clone_from(&parent.record.user);
        state.record.tags.clone_from(&parent.record.tags);
    }

    /// Returns the `traceparent` of a call to another service, made in a span or outside of all spans. The span's record
    /// then has the id too.
    pub(crate) fn trace_parent(&self, span: Option<SpanRef>) -> TraceParent {
        let mut state = self.state();
        let remote = state.remote_trace();
        // A transaction's id is random, so its lower half is a valid parent id. Each span adds its number to it.
        let own = u64::try_from(self.id.0 & u128::from(u64::MAX)).unwrap_or(1);
        let parent_id = own.wrapping_add(span.map_or(0, |span| span.number().into())).max(1);
        if let Some(span) = span {
            state.set_span_id(span, parent_id);
        }
        let (trace_id, sampled) = remote.map_or((self.id.0, true), |remote| (remote.trace_id, remote.sampled));
        TraceParent { trace_id, parent_id, sampled }
    }

    /// Returns the `tracestate` of a call to another service.
    pub(crate) fn trace_state(&self) -> Option<String> {
        self.state().trace_state()
    }

    /// Returns the `baggage` of a call to another service.
    pub(crate) fn baggage(&self) -> Option<String> {
        self.state().baggage()
    }
}

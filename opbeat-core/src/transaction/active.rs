//! A transaction while it runs.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::state::{self, State};
use crate::capture::blocked_record;
use crate::pipeline::Recorder;
use crate::record::{
    Outcome, RequestRecord, SpanRecord, TransactionId, TransactionName, TransactionRecord, TransactionResult, User,
    Value,
};

/// A transaction never keeps more spans than this; the rest are counted.
pub(crate) const MAX_SPANS: usize = 500;

/// What a protocol calls an outcome.
pub(crate) type Words = fn(Outcome) -> &'static str;

/// A transaction while it runs, shared by its guard, its handles and its spans.
pub(crate) struct Active {
    pub(crate) recorder: Recorder,
    pub(crate) id: TransactionId,
    pub(crate) started: Instant,
    /// Whether it is an HTTP request's: a second layer around the same request then adds nothing.
    pub(crate) is_request: bool,
    pub(super) state: Mutex<State>,
}

/// How a transaction ended, as its owner saw it.
pub(crate) struct End {
    pub(crate) duration: Duration,
    pub(crate) outcome: Outcome,
    /// Nothing came of it that the application could say more of: neither its outcome nor its result stay.
    pub(crate) is_forced: bool,
    pub(crate) status: Option<u16>,
    /// What an outcome is called that the status does not tell.
    pub(crate) words: Words,
    /// Nanoseconds from the start to the head.
    pub(crate) head: Option<u64>,
    /// Nanoseconds at work.
    pub(crate) busy: Option<u64>,
}

impl Active {
    /// Begins a transaction that is no request's.
    pub(crate) fn begin(recorder: &Recorder, kind: Cow<'static, str>, prepare: impl FnOnce(&mut Self)) -> Arc<Self> {
        let mut active = Self::new(recorder);
        active.start(kind);
        prepare(&mut active);
        Arc::new(active)
    }

    /// Begins a request's transaction in `room`: new, or the memory of one that has ended and nobody holds.
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
        &mut self.state_mut().record
    }

    #[inline]
    pub(super) fn state_mut(&mut self) -> &mut State {
        self.state.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a transaction that is no request's, now.
    pub(crate) fn end_now(mut self: Arc<Self>, outcome: Outcome, is_forced: bool, words: Words) {
        let duration = self.started.elapsed();
        let longest = self.state().polls.unwrap_or_default().longest;
        // What a panic takes is the hooks' time, and it is reported anyway.
        if outcome != Outcome::Panicked && longest > Duration::from_nanos(self.recorder.blocking_threshold()) {
            self.report(blocked_record(longest));
        }
        Self::end(&mut self, &End { duration, outcome, is_forced, status: None, words, head: None, busy: None });
    }

    /// Ends the transaction and counts it; a second call does nothing. Returns whether nobody else holds it, so that its
    /// memory is free for the next one.
    #[inline]
    pub(crate) fn end(this: &mut Arc<Self>, end: &End) -> bool {
        let Some(alone) = Arc::get_mut(this) else {
            this.state().end(end, true, &this.recorder, this.started);
            return false;
        };
        let state = alone.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.end(end, false, &alone.recorder, alone.started);
        state.clear();
        true
    }

    /// Names the transaction, unless the application has. Most often nobody else holds it yet, and no lock is taken.
    #[inline]
    pub(crate) fn name_early(this: &mut Arc<Self>, name: TransactionName) {
        match Arc::get_mut(this) {
            Some(alone) => alone.state.get_mut().unwrap_or_else(PoisonError::into_inner).name(name),
            None => this.name(name),
        }
    }

    /// Names the transaction, unless the application has.
    pub(crate) fn name(&self, name: TransactionName) {
        self.state().name(name);
    }

    /// Names the transaction by its route, unless it has one already.
    pub(crate) fn name_once(&self, name: impl FnOnce() -> Option<TransactionName>) {
        let has_route = self.state().has_route;
        if let Some(name) = (!has_route).then(name).flatten() {
            self.name(name);
        }
    }

    /// Returns the method and the target of its request.
    pub(crate) fn request_line(&self) -> Option<(String, String)> {
        let state = self.state();
        let request = state.record.request.as_ref()?;
        Some((request.method(), request.target()))
    }

    pub(crate) fn rename(&self, name: TransactionName) {
        self.change(|state| {
            state.record.name = name.cut();
            state.renamed = true;
        });
    }

    pub(crate) fn set_result(&self, result: TransactionResult) {
        self.change(|state| {
            state.record.result = result;
            state.has_result = true;
        });
    }

    pub(crate) fn set_outcome(&self, outcome: Outcome) {
        self.change(|state| state.outcome = Some(outcome));
    }

    /// Returns the outcome that the application chose.
    pub(crate) fn outcome(&self) -> Option<Outcome> {
        self.state().outcome
    }

    pub(crate) fn set_user(&self, user: User) {
        self.change(|state| state.record.user = Some(user));
    }

    pub(crate) fn set_tag(&self, key: Cow<'static, str>, value: Value) {
        self.change(|state| state::set(&mut state.record.tags, key, value));
    }

    pub(crate) fn set_extra(&self, key: Cow<'static, str>, value: Value) {
        self.change(|state| state::set(&mut state.record.extra, key, value));
    }

    pub(crate) fn set_request_body(&self, body: String) {
        self.change(|state| {
            if let Some(request) = &mut state.record.request {
                request.set_body(Some(body));
            }
        });
    }

    /// Adds a poll to the time at work.
    pub(crate) fn note_work(&self, took: Duration) {
        self.change(|state| state.note_poll(took));
    }

    /// Starts a span and returns its index; `None` when there are too many or the transaction has ended.
    pub(crate) fn start_span(
        &self,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<u32>,
    ) -> Option<u32> {
        let start = self.started.elapsed();
        let parent = parent.map(|parent| parent as usize);
        let span = SpanRecord { signature, kind, parent, start, duration: None, extra: Vec::new() };
        self.state().start_span(span, MAX_SPANS)
    }

    /// Ends a span. Returns `current` if that span still runs, else the nearest span around it that does.
    pub(crate) fn end_span(&self, index: u32, current: Option<u32>) -> Option<u32> {
        let now = self.started.elapsed();
        let mut state = self.state();
        state.end_span(index, now);
        state.running(current)
    }

    /// Returns `current` if that span still runs, else the nearest span around it that does.
    pub(crate) fn running(&self, current: Option<u32>) -> Option<u32> {
        self.state().running(current)
    }

    /// Returns what is known of a span.
    pub(crate) fn span(&self, index: u32) -> Option<SpanRecord> {
        self.state().span(index)
    }

    pub(crate) fn set_span_extra(&self, index: u32, key: Cow<'static, str>, value: Value) {
        self.state().set_span_value(index, key, value);
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        if !state.ended {
            change(&mut state);
        }
    }

    /// Does something while nobody else gets at the state: what a panic of ours inside of the lock would do.
    #[cfg(test)]
    pub(crate) fn while_locked(&self, work: impl FnOnce()) {
        let _state = self.state();
        work();
    }

    /// A panic inside of the lock leaves nothing half done, so that a poisoned lock is as good as any.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! A transaction while it runs.

use std::borrow::Cow;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::{Clock, Finished, Recorder};
use crate::record::{
    ErrorId, ErrorRecord, Outcome, RequestRecord, SpanRecord, TransactionId, TransactionName, TransactionRecord,
    TransactionReference, TransactionResult, User, Value,
};

/// A transaction never keeps more spans than this; the rest are counted.
pub(crate) const MAX_SPANS: usize = 500;

/// Tags and extra values beyond this many are left out.
const MAX_VALUES: usize = 64;

/// Room for spans is made at once, since most transactions that have one have a few.
const FIRST_SPANS: usize = 8;

type Values = Vec<(Cow<'static, str>, Value)>;

/// A transaction while it runs, shared by its guard, its handles and its spans.
pub(crate) struct Active {
    pub(crate) recorder: Recorder,
    pub(crate) id: TransactionId,
    kind: Cow<'static, str>,
    started: Instant,
    /// Whether it is an HTTP request's: a second layer around the same request then adds nothing.
    pub(crate) is_request: bool,
    state: Mutex<State>,
}

/// What changes while a transaction runs.
#[derive(Default)]
struct State {
    name: TransactionName,
    /// The application chose the name, so that the adapter's does not replace it.
    renamed: bool,
    result: Option<TransactionResult>,
    ended: Option<(Duration, Outcome)>,
    head: Option<Duration>,
    spans: Vec<SpanRecord>,
    dropped_spans: u32,
    request: Option<RequestRecord>,
    user: Option<User>,
    tags: Values,
    extra: Values,
    error: Option<ErrorId>,
}

impl State {
    /// Returns `index` if that span still runs, else the nearest span around it that does.
    fn running(&self, mut index: Option<u32>) -> Option<u32> {
        while let Some(span) = index.and_then(|index| self.spans.get(index as usize)) {
            if span.duration.is_none() {
                return index;
            }
            index = span.parent.and_then(|parent| u32::try_from(parent).ok());
        }
        None
    }
}

impl Active {
    pub(crate) fn new(recorder: Recorder, kind: Cow<'static, str>) -> Self {
        let id = TransactionId(fastrand::u128(..));
        Self { recorder, id, kind, started: Instant::now(), is_request: false, state: Mutex::default() }
    }

    pub(crate) fn with_request(mut self, name: TransactionName, request: RequestRecord) -> Self {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        state.name = name;
        state.request = Some(request);
        self.is_request = true;
        self
    }

    /// Ends the transaction, and hands it to the recorder. A second call does nothing.
    ///
    /// A result that the application chose stays.
    pub(crate) fn end(self: &Arc<Self>, outcome: Outcome, result: TransactionResult) {
        let duration = self.started.elapsed();
        {
            let mut state = self.state();
            if state.ended.is_some() {
                return;
            }
            state.ended = Some((duration, outcome));
            state.result.get_or_insert(result);
        }
        self.recorder.finish(Arc::clone(self) as Arc<dyn Finished>);
    }

    pub(crate) fn mark_head(&self) {
        let head = self.started.elapsed();
        self.change(|state| state.head = Some(head));
    }

    /// Names the transaction, unless the application has.
    pub(crate) fn name(&self, name: TransactionName) {
        self.change(|state| {
            if !state.renamed {
                state.name = name;
            }
        });
    }

    pub(crate) fn rename(&self, name: TransactionName) {
        self.change(|state| {
            state.name = name;
            state.renamed = true;
        });
    }

    pub(crate) fn set_result(&self, result: TransactionResult) {
        self.change(|state| state.result = Some(result));
    }

    pub(crate) fn set_user(&self, user: User) {
        self.change(|state| state.user = Some(user));
    }

    pub(crate) fn set_tag(&self, key: Cow<'static, str>, value: Value) {
        self.change(|state| set(&mut state.tags, key, value));
    }

    pub(crate) fn set_extra(&self, key: Cow<'static, str>, value: Value) {
        self.change(|state| set(&mut state.extra, key, value));
    }

    /// Remembers that an error was reported, so that the failure is not reported a second time.
    pub(crate) fn mark_error(&self, id: ErrorId) {
        self.state().error.get_or_insert(id);
    }

    pub(crate) fn error(&self) -> Option<ErrorId> {
        self.state().error
    }

    /// Starts a span and returns its index; `None` when there are too many or the transaction has ended.
    pub(crate) fn start_span(
        &self,
        signature: Cow<'static, str>,
        kind: Cow<'static, str>,
        parent: Option<u32>,
    ) -> Option<u32> {
        let start = self.started.elapsed();
        let mut state = self.state();
        if state.ended.is_some() {
            return None;
        }
        if state.spans.len() >= MAX_SPANS {
            state.dropped_spans = state.dropped_spans.saturating_add(1);
            return None;
        }
        if state.spans.capacity() == 0 {
            state.spans.reserve_exact(FIRST_SPANS);
        }
        let index = u32::try_from(state.spans.len()).ok()?;
        let parent = parent.map(|parent| parent as usize);
        state.spans.push(SpanRecord { signature, kind, parent, start, duration: None, extra: Vec::new() });
        Some(index)
    }

    /// Ends a span. Returns `current` if that span still runs, else the nearest span around it that does.
    pub(crate) fn end_span(&self, index: u32, current: Option<u32>) -> Option<u32> {
        let now = self.started.elapsed();
        let mut state = self.state();
        if state.ended.is_none()
            && let Some(span) = state.spans.get_mut(index as usize)
        {
            span.duration = Some(now.saturating_sub(span.start));
        }
        state.running(current)
    }

    pub(crate) fn set_span_extra(&self, index: u32, key: Cow<'static, str>, value: Value) {
        self.change_span(index, |span| set(&mut span.extra, key, value));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state();
        if state.ended.is_none() {
            change(&mut state);
        }
    }

    fn change_span(&self, index: u32, change: impl FnOnce(&mut SpanRecord)) {
        self.change(|state| {
            if let Some(span) = state.spans.get_mut(index as usize) {
                change(span);
            }
        });
    }

    /// A panic inside of the lock leaves nothing half done, so that a poisoned lock is as good as any.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sets a value by its key; the last one wins.
fn set(values: &mut Values, key: Cow<'static, str>, value: Value) {
    if let Some((_, old)) = values.iter_mut().find(|(known, _)| *known == key) {
        *old = value;
    } else if values.len() < MAX_VALUES {
        // Most have one or two.
        values.reserve_exact(usize::from(values.capacity() == values.len()) * (1 + values.len()));
        values.push((key, value));
    }
}

impl Finished for Active {
    fn take(&self, clock: &Clock) -> TransactionRecord {
        let mut state = self.state();
        let (duration, outcome) = state.ended.unwrap_or((self.started.elapsed(), Outcome::Ok));
        // Its errors look at it later, and so it must not be emptied under them.
        let has_errors = state.error.is_some();
        TransactionRecord {
            id: self.id,
            name: if has_errors { state.name.clone() } else { mem::take(&mut state.name) },
            kind: self.kind.clone(),
            result: if has_errors { state.result.clone() } else { state.result.take() }.unwrap_or_default(),
            outcome,
            started_at: clock.at(self.started),
            duration,
            head: state.head,
            spans: mem::take(&mut state.spans),
            dropped_spans: state.dropped_spans,
            request: if has_errors { state.request.clone() } else { state.request.take() },
            user: if has_errors { state.user.clone() } else { state.user.take() },
            tags: if has_errors { state.tags.clone() } else { mem::take(&mut state.tags) },
            extra: if has_errors { state.extra.clone() } else { mem::take(&mut state.extra) },
        }
    }

    fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    fn complete_error(&self, error: &mut ErrorRecord) {
        let state = self.state();
        error.transaction = Some(TransactionReference {
            id: self.id,
            name: state.name.to_string(),
            kind: self.kind.clone(),
            result: state.result.clone(),
        });
        error.request.clone_from(&state.request);
        error.user.clone_from(&state.user);
        error.tags.extend(state.tags.iter().cloned());
        error.extra.extend(state.extra.iter().cloned());
    }
}

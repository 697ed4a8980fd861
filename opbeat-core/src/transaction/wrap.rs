//! Futures that run in a transaction or a span.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use pin_project::{pin_project, pinned_drop};

use super::{Context, Span};
use crate::record::{SpanRecord, Value};

/// A future that has a transaction current whenever it is polled, from
/// [`CurrentTransaction::wrap`](crate::CurrentTransaction::wrap) and [`Transaction::wrap`](crate::Transaction::wrap).
///
/// It panics when it is polled after its end, as `async` blocks do.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct InTransaction<F> {
    context: Context,
    /// Its polls are the transaction's time at work.
    is_timed: bool,
    /// Empty once it is done, so that what it holds is dropped inside of its transaction.
    #[pin]
    inner: Option<F>,
}

/// Going on as if nothing was would let the task wait for ever, and hide the mistake.
pub(super) const POLLED_AGAIN: &str = "a future is not polled again after its end";

impl<F> InTransaction<F> {
    pub(super) fn new(context: Context, inner: F) -> Self {
        Self { context, is_timed: false, inner: Some(inner) }
    }

    pub(super) fn timed(context: Context, inner: F) -> Self {
        Self { context, is_timed: true, inner: Some(inner) }
    }
}

impl<F: Future> Future for InTransaction<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let since = this.is_timed.then(Instant::now);
        let answer = {
            let _entered = this.context.enter();
            let answer = this.inner.as_mut().as_pin_mut().expect(POLLED_AGAIN).poll(cx);
            if answer.is_ready() {
                this.inner.set(None);
            }
            answer
        };
        this.context.note_work(since);
        answer
    }
}

#[pinned_drop]
impl<F> PinnedDrop for InTransaction<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        let _entered = this.context.enter();
        this.inner.set(None);
    }
}

impl<F: fmt::Debug> fmt::Debug for InTransaction<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InTransaction").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// A future in a span of its own, from [`in_span`](crate::in_span).
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct InSpan<F> {
    state: State,
    #[pin]
    inner: F,
}

enum State {
    /// Not polled yet.
    Waiting(SpanStart),
    /// The span comes first, since it has to end before its context goes.
    Running { span: Option<Span>, context: Context },
}

struct SpanStart {
    signature: Cow<'static, str>,
    kind: Cow<'static, str>,
    leaf: bool,
    extra: Vec<(Cow<'static, str>, Value)>,
}

impl<F> InSpan<F> {
    pub(crate) fn new(signature: Cow<'static, str>, kind: Cow<'static, str>, inner: F) -> Self {
        Self { state: State::Waiting(SpanStart { signature, kind, leaf: false, extra: Vec::new() }), inner }
    }

    /// Lets the span swallow what starts beneath it; see [`Span::leaf`].
    pub fn leaf(mut self) -> Self {
        if let State::Waiting(start) = &mut self.state {
            start.leaf = true;
        }
        self
    }

    /// Sets a fact to be shown with the span, such as `sql` or `url`.
    pub fn extra(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        if let State::Waiting(start) = &mut self.state {
            start.extra.push((key.into(), value.into()));
        }
        self
    }
}

impl SpanStart {
    /// Starts the span in a copy of what is current, and leaves what is current as it was.
    fn start(&mut self) -> State {
        let mut context = Context::of_current();
        let span = {
            let _entered = context.enter();
            let span = super::span(std::mem::take(&mut self.signature), std::mem::take(&mut self.kind));
            for (key, value) in self.extra.drain(..) {
                span.set_extra(key, value);
            }
            if self.leaf { span.leaf() } else { span }
        };
        State::Running { span: Some(span), context }
    }
}

impl State {
    /// Starts the span again where the code that runs it is now, its transaction having ended: work of a detached task.
    #[cold]
    fn move_on(&mut self) {
        let Self::Running { span, context } = self else { return };
        *self = match span.as_ref().and_then(Span::record) {
            Some(SpanRecord { signature, kind, extra, .. }) => {
                SpanStart { signature, kind, leaf: context.is_leaf, extra }.start()
            }
            None => Self::Running { span: None, context: Context::of_current() },
        };
    }
}

impl<F: Future> Future for InSpan<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let this = self.project();
        match this.state {
            State::Waiting(start) => *this.state = start.start(),
            State::Running { context, .. } if context.is_left_behind() => this.state.move_on(),
            State::Running { .. } => {}
        }
        let State::Running { span, context } = this.state else {
            return this.inner.poll(cx);
        };
        let _entered = context.enter();
        let answer = this.inner.poll(cx);
        if answer.is_ready() {
            span.take();
        }
        answer
    }
}

impl<F: fmt::Debug> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan").field("inner", &self.inner).finish_non_exhaustive()
    }
}

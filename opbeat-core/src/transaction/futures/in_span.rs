//! A future that runs in a span of its own.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project::pin_project;

use crate::record::{SpanRecord, Value};
use crate::transaction::scope::Context;
use crate::transaction::span::{Span, span};

/// Runs a future in a span of its own, which starts when the future is first polled.
///
/// Futures that are polled in turn, as in `join!`, keep their spans separate in this way.
///
/// # Examples
///
/// ```
/// # async fn fetch() -> u32 { 1 }
/// # async fn handler() {
/// let price = opbeat_core::in_span("GET prices.example", "ext.http", fetch()).await;
/// # }
/// ```
pub fn in_span<F>(signature: impl Into<Cow<'static, str>>, kind: impl Into<Cow<'static, str>>, future: F) -> InSpan<F> {
    let start = SpanStart { signature: signature.into(), kind: kind.into(), leaf: false, extra: Vec::new() };
    InSpan { state: SpanState::Waiting(start), inner: future }
}

/// A future that runs in a span of its own, from [`in_span`].
#[pin_project]
#[must_use = "futures do nothing unless polled"]
pub struct InSpan<F> {
    state: SpanState,
    #[pin]
    inner: F,
}

enum SpanState {
    /// Not polled yet.
    Waiting(SpanStart),
    /// The fields are dropped in this order: the span has to end before its context is dropped.
    Running { span: Option<Span>, context: Context },
}

struct SpanStart {
    signature: Cow<'static, str>,
    kind: Cow<'static, str>,
    leaf: bool,
    extra: Vec<(Cow<'static, str>, Value)>,
}

impl<F> InSpan<F> {
    /// Makes the span a leaf: spans that start in it are not recorded. See [`Span::leaf`].
    pub fn leaf(mut self) -> Self {
        if let SpanState::Waiting(start) = &mut self.state {
            start.leaf = true;
        }
        self
    }

    /// Sets an extra value that is shown with the span, such as `sql` or `url`.
    pub fn extra(mut self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        if let SpanState::Waiting(start) = &mut self.state {
            start.extra.push((key.into(), value.into()));
        }
        self
    }
}

impl SpanStart {
    /// Starts the span in a copy of the current context, and leaves the current context unchanged.
    fn start(&mut self) -> SpanState {
        let mut context = Context::of_current();
        let span = {
            let _entered = context.enter();
            let span = span(mem::take(&mut self.signature), mem::take(&mut self.kind));
            for (key, value) in self.extra.drain(..) {
                span.set_extra(key, value);
            }
            if self.leaf { span.leaf() } else { span }
        };
        SpanState::Running { span: Some(span), context }
    }
}

impl SpanState {
    /// Starts the span again in the current transaction, after its first transaction has ended. This happens in a
    /// detached task, whose late work continues in a transaction of its own.
    #[cold]
    fn restart(&mut self) {
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
            SpanState::Waiting(start) => *this.state = start.start(),
            SpanState::Running { context, .. } if context.is_outlived() => this.state.restart(),
            SpanState::Running { .. } => {}
        }
        let SpanState::Running { span, context } = this.state else {
            return this.inner.poll(cx);
        };
        let _entered = context.enter();
        let output = this.inner.poll(cx);
        if output.is_ready() {
            span.take();
        }
        output
    }
}

impl<F: fmt::Debug> fmt::Debug for InSpan<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InSpan").field("inner", &self.inner).finish_non_exhaustive()
    }
}

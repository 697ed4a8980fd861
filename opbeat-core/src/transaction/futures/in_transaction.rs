//! A future that runs in a transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project::{pin_project, pinned_drop};

use crate::clock::Instant;
use crate::transaction::panics::report_panics;
use crate::transaction::scope::Context;

/// A future that makes a transaction current during each poll.
///
/// [`CurrentTransaction::wrap`](crate::CurrentTransaction::wrap) and [`Transaction::wrap`](crate::Transaction::wrap)
/// return it. It panics if it is polled after it has completed, as `async` blocks do.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct InTransaction<F> {
    context: Context,
    /// Its polls are measured as the transaction's busy time.
    is_timed: bool,
    /// `None` after completion: the future's values are dropped while the transaction is current.
    #[pin]
    inner: Option<F>,
}

/// The message of the panic for a future that is polled after completion. Returning `Pending` instead would let the
/// task wait forever and hide the mistake.
pub(super) const POLLED_AGAIN: &str = "a future is not polled again after it has completed";

impl<F> InTransaction<F> {
    pub(in crate::transaction) fn new(context: Context, inner: F) -> Self {
        Self { context, is_timed: false, inner: Some(inner) }
    }

    pub(in crate::transaction) fn timed(context: Context, inner: F) -> Self {
        Self { context, is_timed: true, inner: Some(inner) }
    }
}

impl<F: Future> Future for InTransaction<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let since = this.is_timed.then(Instant::now);
        let output = {
            let _entered = this.context.enter();
            let inner = this.inner.as_mut().as_pin_mut().expect(POLLED_AGAIN);
            let output = report_panics(|| inner.poll(cx));
            if output.is_ready() {
                this.inner.set(None);
            }
            output
        };
        this.context.note_poll(since);
        output
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

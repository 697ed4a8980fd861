//! A future that may outlive its transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use pin_project::{pin_project, pinned_drop};

use super::in_transaction::POLLED_AGAIN;
use crate::clock::Instant;
use crate::transaction::panics::report_panics;
use crate::transaction::scope::LateWork;

/// A future that is part of a transaction until that ends, and then continues in a background transaction of its own.
///
/// [`CurrentTransaction::detach`](crate::CurrentTransaction::detach) returns it. It panics if it is polled after it has
/// completed, as `async` blocks do.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct Detached<F> {
    work: LateWork,
    /// `None` after completion: the future's values are dropped while the transaction is current.
    #[pin]
    inner: Option<F>,
}

impl<F> Detached<F> {
    pub(in crate::transaction) fn new(work: LateWork, inner: F) -> Self {
        Self { work, inner: Some(inner) }
    }
}

impl<F: Future> Future for Detached<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.work.context.continue_late();
        let since = this.work.has_own_transaction().then(Instant::now);
        let output = {
            let _entered = this.work.enter();
            let inner = this.inner.as_mut().as_pin_mut().expect(POLLED_AGAIN);
            let output = report_panics(|| inner.poll(cx));
            if output.is_ready() {
                this.inner.set(None);
            }
            output
        };
        this.work.context.note_poll(since);
        if output.is_ready() {
            this.work.end();
        }
        output
    }
}

/// Counts a future that is dropped before it has completed as cancelled, or as panicked.
#[pinned_drop]
impl<F> PinnedDrop for Detached<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        {
            let _entered = this.work.enter();
            this.inner.set(None);
        }
        this.work.cancel();
    }
}

impl<F: fmt::Debug> fmt::Debug for Detached<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("inner", &self.inner).finish_non_exhaustive()
    }
}

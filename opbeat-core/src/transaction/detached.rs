//! Futures that may outlive their transaction.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};
use std::time::Instant;

use pin_project::{pin_project, pinned_drop};

use super::late::LateWork;
use super::wrap::POLLED_AGAIN;

/// A future that is part of its transaction for as long as that runs, and a background transaction of its own from then
/// on; from [`CurrentTransaction::detach`](crate::CurrentTransaction::detach).
///
/// It panics when it is polled after its end, as `async` blocks do.
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct Detached<F> {
    work: LateWork,
    /// Empty once it is done, so that what it holds is dropped inside of its transaction.
    #[pin]
    inner: Option<F>,
}

impl<F> Detached<F> {
    pub(super) fn new(work: LateWork, inner: F) -> Self {
        Self { work, inner: Some(inner) }
    }
}

impl<F: Future> Future for Detached<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        this.work.context.go_on();
        let since = this.work.is_alone().then(Instant::now);
        let answer = {
            let _entered = this.work.enter();
            let answer = this.inner.as_mut().as_pin_mut().expect(POLLED_AGAIN).poll(cx);
            if answer.is_ready() {
                this.inner.set(None);
            }
            answer
        };
        this.work.context.note_work(since);
        if answer.is_ready() {
            this.work.end();
        }
        answer
    }
}

/// What is dropped before its end was cancelled, or has panicked.
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

//! Futures that may outlive their transaction.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, ready};

use pin_project::{pin_project, pinned_drop};

use super::{Active, Context, CurrentTransaction, Transaction};
use crate::pipeline::Finished;

/// A future that is part of its transaction for as long as that runs, and a background transaction of its own from then
/// on; from [`CurrentTransaction::detach`].
#[pin_project(PinnedDrop)]
#[must_use = "futures do nothing unless polled"]
pub struct Detached<F> {
    context: Context,
    own: Option<Transaction>,
    /// Empty once it is done, so that what it holds is dropped inside of its transaction.
    #[pin]
    inner: Option<F>,
}

impl<F> Detached<F> {
    pub(super) fn new(context: Context, inner: F) -> Self {
        Self { context, own: None, inner: Some(inner) }
    }
}

impl<F: Future> Future for Detached<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        if this.own.is_none() {
            *this.own = go_on_alone(this.context);
        }
        let output = {
            let _panic = EndOnPanic { own: this.own, name: name_of::<F> };
            let _entered = this.context.enter();
            let Some(inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Pending };
            let output = ready!(inner.poll(cx));
            this.inner.set(None);
            output
        };
        if let Some(own) = this.own.take() {
            mem::take(this.context);
            own.end(name_of::<F>(), "ok");
        }
        Poll::Ready(output)
    }
}

/// Executors catch a panic and drop the future when nothing unwinds any more: it has to be noticed here.
struct EndOnPanic<'a> {
    own: &'a mut Option<Transaction>,
    name: fn() -> String,
}

impl Drop for EndOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(own) = self.own.take()
        {
            own.set_name((self.name)());
        }
    }
}

/// Begins a transaction for what is left when the one that it began in has ended.
fn go_on_alone(context: &mut Context) -> Option<Transaction> {
    let parent = context.transaction.as_ref().filter(|parent| parent.has_ended())?;
    let child = Active::begin(&parent.recorder, "task.detached".into(), |child| child.set_parent(parent));
    *context = Context::of(Arc::clone(&child));
    Some(Transaction::new(CurrentTransaction { active: Some(child) }))
}

/// Names a future after the function that it was written in: `shop::orders::place` for an `async` block there.
fn name_of<F>() -> String {
    let name = std::any::type_name::<F>();
    let name = name.split("::{{closure}}").next().unwrap_or(name);
    name.split('<').next().unwrap_or(name).to_owned()
}

/// What is dropped before its end was cancelled, or has panicked.
#[pinned_drop]
impl<F> PinnedDrop for Detached<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if let Some(own) = this.own {
            own.set_name(name_of::<F>());
        }
        let _entered = this.context.enter();
        this.inner.set(None);
    }
}

impl<F: fmt::Debug> fmt::Debug for Detached<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("inner", &self.inner).finish_non_exhaustive()
    }
}

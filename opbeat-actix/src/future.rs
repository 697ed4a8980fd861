//! From the call to the response's head.

use std::fmt;
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use opbeat_core::http::HttpTransaction;
use pin_project::{pin_project, pinned_drop};

use crate::body::OpbeatBody;
use crate::middleware::Answering;
use crate::respond::{fail, fail_by_panic, respond};

/// The future of a recorded request.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F> {
    /// Empty once it is dropped, and if the call panicked.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    answering: Answering,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: Option<F>, transaction: HttpTransaction, answering: Answering) -> Self {
        Self { inner, transaction, answering }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<OpbeatBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let catches_panics = this.answering.catches_panics;
        let answer = match this.inner.as_mut().as_pin_mut() {
            Some(inner) => ready!(this.transaction.poll(|| poll_or_catch(inner, cx, catches_panics))),
            None => Answer::Panicked,
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match answer {
            Answer::Returned(Ok(response)) => Ok(respond(response, transaction, this.answering)),
            Answer::Returned(Err(error)) => Err(fail(transaction, error, this.answering)),
            Answer::Panicked => Err(fail_by_panic(transaction)),
        })
    }
}

/// What came of a handler.
enum Answer<T> {
    Returned(T),
    Panicked,
}

fn poll_or_catch<F: Future>(inner: Pin<&mut F>, cx: &mut Context<'_>, catches: bool) -> Poll<Answer<F::Output>> {
    if !catches {
        return inner.poll(cx).map(Answer::Returned);
    }
    // What panicked is not polled again, so that nobody sees what it left half done.
    match catch_unwind(AssertUnwindSafe(|| inner.poll(cx))) {
        Ok(answer) => answer.map(Answer::Returned),
        Err(payload) => {
            // A payload may panic once more when it is dropped, and then only leaks.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
            Poll::Ready(Answer::Panicked)
        }
    }
}

/// What the handler holds is dropped inside of its transaction, so that destructors find it.
#[pinned_drop]
impl<F> PinnedDrop for ResponseFuture<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.transaction.is_recording() {
            let _entered = this.transaction.enter();
            this.inner.set(None);
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

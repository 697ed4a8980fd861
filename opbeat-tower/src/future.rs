//! From the call to the response's head.

use std::any::Any;
use std::fmt::{self, Display};
use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use opbeat_core::http::HttpTransaction;
use pin_project::{pin_project, pinned_drop};
use tower_http::classify::ClassifyResponse;

use crate::body::OpbeatBody;
use crate::failure;
use crate::respond::{respond, respond_to_panic};
use crate::settings::Answering;

/// The future of a recorded request.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F, C> {
    /// Empty once it is dropped, and if the call panicked.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    answering: Answering,
    /// Taken when the response is there.
    classifier: Option<C>,
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) fn new(inner: Option<F>, transaction: HttpTransaction, answering: Answering, classifier: C) -> Self {
        Self { inner, transaction, answering, classifier: Some(classifier) }
    }
}

impl<F, C, B, E> Future for ResponseFuture<F, C>
where
    F: Future<Output = Result<Response<B>, E>>,
    C: ClassifyResponse,
    B: Body,
    E: Display + 'static,
{
    type Output = Result<Response<OpbeatBody<B, C::ClassifyEos>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let catches_panics = this.answering.catches_panics;
        let answer = match this.inner.as_mut().as_pin_mut() {
            Some(inner) => ready!(this.transaction.poll(|| poll_or_catch(inner, cx, catches_panics))),
            None => Answer::Panicked,
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match answer {
            Answer::Returned(Ok(response)) => {
                Ok(respond(response, transaction, this.answering, this.classifier.take()))
            }
            Answer::Returned(Err(error)) => {
                failure::end(transaction, &error);
                Err(error)
            }
            Answer::Panicked => Ok(respond_to_panic(transaction, this.answering)),
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
        Err(payload) => Poll::Ready(caught(payload)),
    }
}

fn caught<T>(payload: Box<dyn Any + Send>) -> Answer<T> {
    // A payload may panic once more when it is dropped, and then only leaks.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(payload)));
    Answer::Panicked
}

/// What the handler holds is dropped inside of its transaction, so that destructors find it.
#[pinned_drop]
impl<F, C> PinnedDrop for ResponseFuture<F, C> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.transaction.is_recording() {
            let _entered = this.transaction.enter();
            this.inner.set(None);
        }
    }
}

impl<F, C> fmt::Debug for ResponseFuture<F, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

//! From the call to the response's head.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::ServiceResponse;
use opbeat_core::http::{HttpTransaction, catch_panic};
use pin_project::{pin_project, pinned_drop};

use crate::answering::Answering;
use crate::body::OpbeatBody;
use crate::respond::{fail, fail_by_panic, respond};
use crate::unnamed::Unnamed;

/// The future of a recorded request.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F> {
    /// Empty once it is dropped, and if the call panicked.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    unnamed: Unnamed,
    answering: Answering,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: Option<F>, transaction: HttpTransaction, unnamed: Unnamed, answering: Answering) -> Self {
        Self { inner, transaction, unnamed, answering }
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
            Some(inner) => ready!(this.transaction.poll(|| {
                // `None` stands for a panic, here and when the call panicked.
                let poll = || catch_panic(catches_panics, || inner.poll(cx));
                let polled = this.unnamed.name_unless(is_response, poll);
                polled.map_or(Poll::Ready(None), |answer| answer.map(Some))
            })),
            None => None,
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match answer {
            Some(Ok(response)) => Ok(respond(response, transaction, this.answering)),
            Some(Err(error)) => Err(fail(transaction, error, this.answering)),
            None => Err(fail_by_panic(transaction, this.answering)),
        })
    }
}

/// Returns whether a poll gave what tells its resource by itself.
fn is_response<T, E>(polled: &Option<Poll<Result<T, E>>>) -> bool {
    matches!(polled, Some(Poll::Ready(Ok(_))))
}

/// What the handler holds is dropped inside of its transaction, so that destructors find it.
#[pinned_drop]
impl<F> PinnedDrop for ResponseFuture<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.transaction.is_recording() {
            let _entered = this.transaction.enter();
            this.unnamed.name();
            this.inner.set(None);
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

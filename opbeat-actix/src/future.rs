//! The future of a request, from the call to the response head.

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

use crate::body::OpbeatBody;
use crate::names::PendingName;
use crate::recorded_error::{fail, fail_by_panic};
use crate::respond::{ResponseSettings, respond};

/// The future of a recorded request, which resolves to its response.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F> {
    /// The inner service's future; `None` once it is dropped, or if the call panicked.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    pending_name: PendingName,
    settings: ResponseSettings,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(
        inner: Option<F>,
        transaction: HttpTransaction,
        pending_name: PendingName,
        settings: ResponseSettings,
    ) -> Self {
        Self { inner, transaction, pending_name, settings }
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
        let catch_panics = this.settings.catch_panics;
        let result = match this.inner.as_mut().as_pin_mut() {
            Some(inner) => ready!(this.transaction.poll(|| {
                // `None` means a panic: of this poll here, or of the call in the outer match.
                let poll = || catch_panic(catch_panics, || inner.poll(cx));
                let polled = this.pending_name.resolve_unless(is_response, poll);
                polled.map_or(Poll::Ready(None), |result| result.map(Some))
            })),
            None => None,
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match result {
            Some(Ok(response)) => Ok(respond(response, transaction, this.settings)),
            Some(Err(error)) => Err(fail(transaction, error, this.settings)),
            None => Err(fail_by_panic(transaction, this.settings)),
        })
    }
}

/// Returns whether a poll returned a response. A response contains its resource.
fn is_response<T, E>(polled: &Option<Poll<Result<T, E>>>) -> bool {
    matches!(polled, Some(Poll::Ready(Ok(_))))
}

/// Drops the handler's future with the transaction entered, so that destructors of its values find the transaction.
#[pinned_drop]
impl<F> PinnedDrop for ResponseFuture<F> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.transaction.is_recording() {
            let _entered = this.transaction.enter();
            this.pending_name.resolve();
            this.inner.set(None);
        }
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").field("transaction", &self.transaction).finish_non_exhaustive()
    }
}

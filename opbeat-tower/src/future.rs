//! From the call to the response's head.

use std::fmt::{self, Display};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use opbeat_core::Outcome;
use opbeat_core::http::HttpTransaction;
use pin_project::{pin_project, pinned_drop};
use tower_http::classify::{ClassifiedResponse, ClassifyResponse};

use crate::body::OpbeatBody;
use crate::failure;

/// The future of a recorded request.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F, C> {
    /// Empty once it is dropped.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    /// Taken when the response is there.
    classifier: Option<C>,
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) fn new(inner: F, transaction: HttpTransaction, classifier: C) -> Self {
        Self { inner: Some(inner), transaction, classifier: Some(classifier) }
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
        let this = self.project();
        let answer = {
            let _entered = this.transaction.enter();
            let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
            ready!(inner.poll(cx))
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match answer {
            Ok(response) => Ok(respond(response, transaction, this.classifier.take())),
            Err(error) => {
                failure::report(&transaction, &error);
                transaction.end(Outcome::ServerError);
                Err(error)
            }
        })
    }
}

/// Notes the head, and lets the body carry the transaction on to its last byte.
fn respond<B: Body, C: ClassifyResponse>(
    response: Response<B>,
    mut transaction: HttpTransaction,
    classifier: Option<C>,
) -> Response<OpbeatBody<B, C::ClassifyEos>> {
    let ends_here = transaction.head(response.status().as_u16()) || response.body().is_end_stream();
    let classify_eos = match classifier.map(|classifier| classifier.classify_response(&response)) {
        Some(ClassifiedResponse::Ready(Err(_))) => {
            transaction.set_outcome(Outcome::ServerError);
            None
        }
        Some(ClassifiedResponse::RequiresEos(classify_eos)) => Some(classify_eos),
        Some(ClassifiedResponse::Ready(Ok(()))) | None => None,
    };
    response.map(|body| OpbeatBody::new(body, transaction, classify_eos, ends_here))
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

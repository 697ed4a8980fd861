//! From the call to the response's head.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::ServiceResponse;
use opbeat_core::http::{HttpTransaction, unmatched};
use pin_project::{pin_project, pinned_drop};

use crate::body::OpbeatBody;
use crate::failure;

/// The future of a recorded request.
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F> {
    /// Empty once it is dropped.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
}

impl<F> ResponseFuture<F> {
    pub(crate) fn new(inner: F, transaction: HttpTransaction) -> Self {
        Self { inner: Some(inner), transaction }
    }
}

impl<F, B> Future for ResponseFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<OpbeatBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = {
            let _entered = this.transaction.enter();
            let Some(inner) = this.inner.as_pin_mut() else { return Poll::Pending };
            ready!(inner.poll(cx))
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match answer {
            Ok(response) => Ok(respond(response, transaction)),
            Err(error) => {
                fail(transaction, &error);
                Err(error)
            }
        })
    }
}

/// Notes the head, and lets the body carry the transaction on to its last byte.
fn respond<B: MessageBody>(
    response: ServiceResponse<B>,
    mut transaction: HttpTransaction,
) -> ServiceResponse<OpbeatBody<B>> {
    if let Some(error) = response.response().error() {
        failure::report(&transaction, error);
    }
    if response.status() == 404 && response.request().match_pattern().is_none() {
        transaction.set_route_name(unmatched(response.request().method().as_str()));
    }
    let is_empty = matches!(response.response().body().size(), BodySize::None | BodySize::Sized(0));
    let ends_here = transaction.head(response.status().as_u16()) || is_empty;
    response.map_body(|_, body| OpbeatBody::new(body, transaction, ends_here))
}

/// Actix answers with what the error makes of itself; nobody is asked once more, and so the transaction ends here.
fn fail(mut transaction: HttpTransaction, error: &Error) {
    failure::report(&transaction, error);
    transaction.head(error.as_response_error().status_code().as_u16());
    transaction.complete();
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

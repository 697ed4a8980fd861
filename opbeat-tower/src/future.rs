//! The future of a recorded request, from the call of the service to its response head.

use std::fmt::{self, Display};
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::Response;
use http_body::Body;
use opbeat_core::http::{HttpTransaction, catch_panic};
use pin_project::{pin_project, pinned_drop};
use tower_http::classify::ClassifyResponse;

use crate::body::OpbeatBody;
use crate::failure;
use crate::respond::{respond, respond_to_panic};
use crate::settings::ResponseSettings;

/// The future of a recorded request. It returns the response of the inner service, in an [`OpbeatBody`].
#[pin_project(PinnedDrop)]
pub struct ResponseFuture<F, C> {
    /// `None` after it is dropped, and if the call panicked.
    #[pin]
    inner: Option<F>,
    transaction: HttpTransaction,
    settings: ResponseSettings,
    /// Taken when the response is ready.
    classifier: Option<C>,
}

impl<F, C> ResponseFuture<F, C> {
    pub(crate) fn new(
        inner: Option<F>,
        transaction: HttpTransaction,
        settings: ResponseSettings,
        classifier: C,
    ) -> Self {
        Self { inner, transaction, settings, classifier: Some(classifier) }
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
        let catches_panics = this.settings.catches_panics;
        let output = match this.inner.as_mut().as_pin_mut() {
            Some(inner) => ready!(this.transaction.poll(|| {
                // `None` means a panic, either in this poll or in the call.
                catch_panic(catches_panics, || inner.poll(cx)).map_or(Poll::Ready(None), |polled| polled.map(Some))
            })),
            None => None,
        };
        let transaction = mem::take(this.transaction);
        Poll::Ready(match output {
            Some(Ok(response)) => Ok(respond(response, transaction, this.settings, this.classifier.take())),
            Some(Err(error)) => {
                failure::end(transaction, &error, &this.settings.error_types);
                Err(error)
            }
            None => Ok(respond_to_panic(transaction, this.settings)),
        })
    }
}

/// Drops the handler's future while its transaction is current, so that destructors can use it.
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

//! What a request's transaction goes through: first the handler's future, then the response's body.

use std::error::Error;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Buf, Frame, SizeHint};
use opbeat_core::http::CapturedError;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;

/// A handler's future or a response's body: polled inside of its transaction, and dropped there.
#[derive(Debug)]
pub struct Monitored<T> {
    inner: Option<T>,
    transaction: HttpTransaction,
}

impl<T> Monitored<T> {
    /// Takes a transaction along; the default one records nothing.
    pub fn new(inner: T, transaction: HttpTransaction) -> Self {
        Self { inner: Some(inner), transaction }
    }
}

impl<F: Future + Unpin> Future for Monitored<F> {
    type Output = (F::Output, HttpTransaction);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner: Some(handler), transaction } = &mut *self else { return Poll::Pending };
        let answer = ready!(transaction.poll(|| Pin::new(handler).poll(cx)));
        Poll::Ready((answer, mem::take(transaction)))
    }
}

impl<B: Body<Error: Error> + Unpin> Body for Monitored<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let Self { inner: Some(body), transaction } = &mut *self else { return Poll::Ready(None) };
        let frame = ready!(transaction.poll(|| Pin::new(&mut *body).poll_frame(cx)));
        match &frame {
            Some(Err(error)) => {
                transaction.report_captured(&CapturedError::received(error));
                mem::take(transaction).end(Outcome::ServerError);
            }
            // Whoever writes the body does not ask again when it has its length, or when it says that this was all.
            Some(Ok(frame)) if !is_last(frame, transaction) && !body.is_end_stream() => {}
            _ => mem::take(transaction).complete(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

/// Counts the bytes of a frame. Trailers are the last one.
fn is_last<D: Buf>(frame: &Frame<D>, transaction: &mut HttpTransaction) -> bool {
    frame.data_ref().is_none_or(|data| transaction.record_sent(data.remaining()))
}

/// A client that goes drops what is left of its request. Destructors find their transaction too.
impl<T> Drop for Monitored<T> {
    fn drop(&mut self) {
        let _entered = self.transaction.enter();
        self.inner = None;
    }
}

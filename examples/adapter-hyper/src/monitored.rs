//! The wrapper that holds a request's transaction: first around the handler's future, then around the response body.

use std::error::Error;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use opbeat_core::http::{CapturedError, HttpTransaction, LARGEST_FRAME};
use opbeat_core::record::Outcome;

/// A handler's future or a response body that is polled and dropped inside its transaction.
#[derive(Debug)]
pub struct Monitored<T> {
    inner: Option<T>,
    /// The rest of a body's frame that is too large to be passed on at once.
    rest: Bytes,
    transaction: HttpTransaction,
}

impl<T> Monitored<T> {
    /// Wraps a future or body. The default transaction records nothing.
    pub fn new(inner: T, transaction: HttpTransaction) -> Self {
        Self { inner: Some(inner), rest: Bytes::new(), transaction }
    }
}

impl<F: Future + Unpin> Future for Monitored<F> {
    type Output = (F::Output, HttpTransaction);

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Self { inner: Some(handler), transaction, .. } = &mut *self else { return Poll::Pending };
        let answer = ready!(transaction.poll(|| Pin::new(handler).poll(cx)));
        Poll::Ready((answer, mem::take(transaction)))
    }
}

impl<B: Body<Data = Bytes, Error: Error> + Unpin> Body for Monitored<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let Self { inner: Some(body), rest, transaction } = &mut *self else { return Poll::Ready(None) };
        let mut frame = ready!(transaction.poll(|| match mem::take(rest) {
            rest if rest.is_empty() => Pin::new(&mut *body).poll_frame(cx),
            rest => Poll::Ready(Some(Ok(Frame::data(rest)))),
        }));
        // A server takes a frame whole, so only smaller frames show how much the client has read.
        if let Some(Ok(frame)) = &mut frame
            && let Some(data) = frame.data_mut().filter(|data| data.len() > LARGEST_FRAME)
        {
            *rest = data.split_off(LARGEST_FRAME);
        }
        let is_whole = rest.is_empty() && body.is_end_stream();
        match &frame {
            Some(Err(error)) => {
                transaction.report_captured(&CapturedError::received(error));
                mem::take(transaction).end(Outcome::ServerError);
            }
            // The server does not poll again after the declared length, or if the body says that it has ended.
            Some(Ok(frame)) if !is_last(frame, transaction) && !is_whole => {}
            _ => mem::take(transaction).complete(),
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(SizeHint::default, Body::size_hint)
    }
}

/// Counts the bytes of a frame. Returns whether the frame is the last one; trailers always are.
fn is_last(frame: &Frame<Bytes>, transaction: &mut HttpTransaction) -> bool {
    frame.data_ref().is_none_or(|data| transaction.record_sent(data.len()))
}

/// A disconnect drops the future or body. Its destructors run inside the transaction too.
impl<T> Drop for Monitored<T> {
    fn drop(&mut self) {
        let _entered = self.transaction.enter();
        self.inner = None;
    }
}

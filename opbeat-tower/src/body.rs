//! From the response's head to its last byte.

use std::fmt::{self, Display};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Buf;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::Outcome;
use pin_project::{pin_project, pinned_drop};
use tower_http::classify::ClassifyEos;

use crate::failure::{self, Places};
use crate::grpc::{self, Call};
use crate::settings::Answering;

/// Returns whether a response has no body, and tells its transaction how long the body is.
///
/// A gRPC call ends with its trailers, however many bytes come before.
pub(crate) fn ends_at_head<B: Body>(
    response: &Response<B>,
    transaction: &mut HttpTransaction,
    answering: &Answering,
) -> bool {
    let body = response.body();
    if body.is_end_stream() || answering.grpc.is_some() {
        return body.is_end_stream();
    }
    let declared = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    body.size_hint().exact().or_else(declared).is_some_and(|length| transaction.declare_length(length))
}

/// The body of a recorded response. Its last byte ends the transaction.
#[pin_project(PinnedDrop)]
pub struct OpbeatBody<B, E> {
    /// Empty where a panic was answered, and once it is dropped.
    #[pin]
    inner: Option<B>,
    recording: Recording<E>,
}

/// What is left to be said of the transaction.
struct Recording<E> {
    transaction: HttpTransaction,
    classify_eos: Option<E>,
    /// Set for gRPC.
    call: Option<Box<Call>>,
    places: Places,
}

impl<B, E: ClassifyEos> OpbeatBody<B, E> {
    #[inline]
    pub(crate) fn new(
        inner: Option<B>,
        transaction: HttpTransaction,
        classify_eos: Option<E>,
        ends_here: bool,
        answering: &mut Answering,
    ) -> Self {
        let (call, places) = (answering.grpc.take(), mem::take(&mut answering.places));
        let mut recording = Recording { transaction, classify_eos, call, places };
        if ends_here {
            recording.complete(None);
        }
        Self { inner, recording }
    }
}

impl<B, E> Body for OpbeatBody<B, E>
where
    B: Body,
    B::Error: Display + 'static,
    E: ClassifyEos,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        // Frames are wide, and so this one is looked at where it lies.
        let polled = this.recording.transaction.poll(|| inner.as_mut().poll_frame(cx));
        match &polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.recording.complete(None),
            Poll::Ready(Some(Err(error))) => this.recording.fail(error),
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => this.recording.complete(frame.trailers_ref()),
            Poll::Ready(Some(Ok(frame))) => {
                let is_last = this.recording.note(frame.data_ref().map_or(0, Buf::remaining));
                // Whoever writes the body does not ask again when it says that this was all.
                if is_last || inner.is_end_stream() {
                    this.recording.complete(None);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint)
    }
}

impl<E: ClassifyEos> Recording<E> {
    /// Notes bytes of the body. Returns whether they were its last.
    fn note(&mut self, bytes: usize) -> bool {
        if let Some(call) = &mut self.call {
            call.prove(&mut self.transaction);
        }
        self.transaction.sent(bytes)
    }

    fn complete(&mut self, trailers: Option<&HeaderMap>) {
        let mut transaction = mem::take(&mut self.transaction);
        let told = self.call.as_mut().zip(trailers);
        let is_settled = told.is_some_and(|(call, trailers)| grpc::note_status(trailers, &mut transaction, call));
        let is_failure = self.classify_eos.take().is_some_and(|eos| eos.classify_eos(trailers).is_err());
        if is_failure && !is_settled {
            transaction.set_outcome(Outcome::ServerError);
        }
        transaction.complete();
    }

    fn fail<F: Display + 'static>(&mut self, error: &F) {
        failure::end(mem::take(&mut self.transaction), error, &self.places);
    }
}

/// What the body holds is dropped inside of its transaction, so that destructors find it.
#[pinned_drop]
impl<B, E> PinnedDrop for OpbeatBody<B, E> {
    fn drop(self: Pin<&mut Self>) {
        let mut this = self.project();
        if this.recording.transaction.is_recording() {
            let _entered = this.recording.transaction.enter();
            this.inner.set(None);
        }
    }
}

/// An empty body that nothing is recorded of, for frameworks that make one up.
impl<B: Default, E> Default for OpbeatBody<B, E> {
    fn default() -> Self {
        let transaction = HttpTransaction::default();
        let recording = Recording { transaction, classify_eos: None, call: None, places: Places::default() };
        Self { inner: Some(B::default()), recording }
    }
}

impl<B, E> fmt::Debug for OpbeatBody<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpbeatBody").field("transaction", &self.recording.transaction).finish_non_exhaustive()
    }
}

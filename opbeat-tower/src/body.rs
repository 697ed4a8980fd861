//! The body of a recorded response, which ends the transaction.

use std::any::Any;
use std::fmt::{self, Display};
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Response};
use http_body::{Body, Frame, SizeHint};
use opbeat_core::http::{HttpTransaction, LARGEST_FRAME};
use opbeat_core::record::Outcome;
use pin_project::{pin_project, pinned_drop};
use tower_http::classify::ClassifyEos;

use crate::failure::{self, ErrorTypes};
use crate::grpc::{self, GrpcCall};
use crate::settings::ResponseSettings;

/// Returns whether the body of a response is empty. If not, sets its length, if that is known, in the transaction.
///
/// The length is not set for gRPC, because a call ends with its trailers.
pub(crate) fn is_empty<B: Body>(
    response: &Response<B>,
    transaction: &mut HttpTransaction,
    settings: &ResponseSettings,
) -> bool {
    let body = response.body();
    if body.is_end_stream() || settings.grpc.is_some() {
        return body.is_end_stream();
    }
    let declared = || response.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok();
    body.size_hint().exact().or_else(declared).is_some_and(|length| transaction.set_body_length(length))
}

/// The body of a recorded response. The transaction ends at the end of this body.
#[pin_project(PinnedDrop)]
pub struct OpbeatBody<B, E> {
    /// `None` in the response to a panic, and after it is dropped.
    #[pin]
    inner: Option<B>,
    /// The rest of a frame that is too large to be passed on at once. It is boxed, because few bodies have one.
    rest: Option<Box<Bytes>>,
    recording: Recording<E>,
}

/// The transaction until its end, and the state that its end needs.
struct Recording<E> {
    transaction: HttpTransaction,
    classify_eos: Option<E>,
    /// The call, for gRPC.
    call: Option<Box<GrpcCall>>,
    error_types: ErrorTypes,
}

impl<B, E: ClassifyEos> OpbeatBody<B, E> {
    #[inline]
    pub(crate) fn new(
        inner: Option<B>,
        transaction: HttpTransaction,
        classify_eos: Option<E>,
        has_ended: bool,
        settings: &mut ResponseSettings,
    ) -> Self {
        let (call, error_types) = (settings.grpc.take(), mem::take(&mut settings.error_types));
        let mut recording = Recording { transaction, classify_eos, call, error_types };
        if has_ended {
            recording.complete(None);
        }
        Self { inner, rest: None, recording }
    }
}

impl<B, E> Body for OpbeatBody<B, E>
where
    B: Body + 'static,
    B::Error: Display + 'static,
    E: ClassifyEos,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let Some(mut inner) = this.inner.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        // The frame is inspected by reference, because moving it would copy many bytes.
        let mut polled = this.recording.transaction.poll(|| match this.rest.take() {
            Some(rest) => Poll::Ready(frame_of(*rest).map(Ok)),
            None => inner.as_mut().poll_frame(cx),
        });
        match &mut polled {
            Poll::Pending => {}
            Poll::Ready(None) => this.recording.complete(None),
            Poll::Ready(Some(Err(error))) => this.recording.fail(error),
            Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => this.recording.complete(frame.trailers_ref()),
            Poll::Ready(Some(Ok(frame))) => {
                if this.recording.transaction.is_recording() {
                    *this.rest = frame.data_mut().and_then(split_large);
                }
                let is_last = this.recording.record_data(frame.data_ref().map_or(0, Buf::remaining));
                // Servers do not poll a body again after it reports its end.
                if is_last || (this.rest.is_none() && inner.is_end_stream()) {
                    this.recording.complete(None);
                }
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let hint = self.inner.as_ref().map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        match &self.rest {
            Some(rest) => longer(&hint, rest.len() as u64),
            None => hint,
        }
    }
}

/// Returns the hint of a body that has some more bytes.
fn longer(hint: &SizeHint, bytes: u64) -> SizeHint {
    let mut longer = SizeHint::new();
    longer.set_lower(hint.lower().saturating_add(bytes));
    if let Some(upper) = hint.upper() {
        longer.set_upper(upper.saturating_add(bytes));
    }
    longer
}

/// Cuts a large frame to its first part, and returns the rest. Only frames of `Bytes`, which nearly all servers use,
/// can be split without copying them.
#[inline]
fn split_large<D: Buf + 'static>(data: &mut D) -> Option<Box<Bytes>> {
    if data.remaining() <= LARGEST_FRAME {
        return None;
    }
    let bytes = (data as &mut dyn Any).downcast_mut::<Bytes>()?;
    Some(Box::new(bytes.split_off(LARGEST_FRAME)))
}

/// Makes a frame of the rest of a frame. It is always `Some`, since only frames of `Bytes` are split.
fn frame_of<D: 'static>(rest: Bytes) -> Option<Frame<D>> {
    (&mut Some(rest) as &mut dyn Any).downcast_mut::<Option<D>>()?.take().map(Frame::data)
}

impl<E: ClassifyEos> Recording<E> {
    /// Records bytes of the body. Returns whether they were the last ones.
    fn record_data(&mut self, bytes: usize) -> bool {
        if let Some(call) = &mut self.call {
            call.confirm_method(&mut self.transaction);
        }
        self.transaction.record_sent(bytes)
    }

    fn complete(&mut self, trailers: Option<&HeaderMap>) {
        let mut transaction = mem::take(&mut self.transaction);
        let ended_call = self.call.as_mut().zip(trailers);
        let has_grpc_status =
            ended_call.is_some_and(|(call, trailers)| grpc::record_status(trailers, &mut transaction, call));
        let is_failure = self.classify_eos.take().is_some_and(|eos| eos.classify_eos(trailers).is_err());
        if is_failure && !has_grpc_status {
            transaction.set_outcome(Outcome::ServerError);
        }
        transaction.complete();
    }

    fn fail<F: Display + 'static>(&mut self, error: &F) {
        failure::end(mem::take(&mut self.transaction), error, &self.error_types);
    }
}

/// Drops the inner body while its transaction is current, so that destructors can use it.
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

/// Makes an empty body that records nothing, for frameworks that need a default body.
impl<B: Default, E> Default for OpbeatBody<B, E> {
    fn default() -> Self {
        let transaction = HttpTransaction::default();
        let recording = Recording { transaction, classify_eos: None, call: None, error_types: ErrorTypes::default() };
        Self { inner: Some(B::default()), rest: None, recording }
    }
}

impl<B, E> fmt::Debug for OpbeatBody<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpbeatBody").field("transaction", &self.recording.transaction).finish_non_exhaustive()
    }
}

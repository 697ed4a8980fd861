//! The body of a response, at whose end the call ends.

use std::fmt::{self, Display};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::errors::ErrorTypes;
use super::protocol::Protocol;
use crate::outgoing::Call;

/// The body of a recorded response. The span ends at the end of the body, or when the body is dropped.
#[pin_project]
pub struct ClientBody<B> {
    #[pin]
    inner: B,
    /// `None` if the request is not recorded, and after its end.
    call: Option<Call>,
    protocol: Protocol,
    error_types: ErrorTypes,
}

impl<B> ClientBody<B> {
    pub(super) fn new(inner: B, call: Option<Call>, protocol: Protocol, error_types: ErrorTypes) -> Self {
        Self { inner, call, protocol, error_types }
    }

    #[cfg(feature = "reqwest")]
    pub(crate) fn of_http(inner: B, call: Call) -> Self {
        Self::new(inner, Some(call), Protocol::Http, ErrorTypes::default())
    }
}

impl<B> Body for ClientBody<B>
where
    B: Body,
    B::Error: Display + 'static,
{
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let polled = this.inner.as_mut().poll_frame(cx);
        let Some(call) = this.call else { return polled };
        let has_ended = match &polled {
            Poll::Pending => false,
            Poll::Ready(None) => true,
            Poll::Ready(Some(Err(error))) => {
                call.fail(this.error_types.text(error));
                true
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_ref() {
                    this.protocol.end(call, trailers);
                }
                // Readers need not poll a body again after it reports its end.
                frame.is_trailers() || this.inner.is_end_stream()
            }
        };
        if has_ended {
            *this.call = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// Makes an empty body that records nothing: tonic requires a default.
impl<B: Default> Default for ClientBody<B> {
    fn default() -> Self {
        Self::new(B::default(), None, Protocol::Http, ErrorTypes::default())
    }
}

impl<B> fmt::Debug for ClientBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBody").field("is_recorded", &self.call.is_some()).finish_non_exhaustive()
    }
}

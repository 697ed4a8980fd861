//! Reads the rest of a body that no handler wanted, so that the client reads the response.
//!
//! hyper closes a connection if a request's body was not read to its end. The client's further bytes are then answered
//! with a reset, and a client that writes its whole request first sees the reset instead of the response.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::BodyExt;
use tokio::sync::oneshot;

/// The largest number of bytes that are read and dropped.
const MAX_BYTES: u64 = 8 << 20;

/// The longest time that a response waits for them.
const MAX_TIME: Duration = Duration::from_secs(5);

/// Runs a request. Reads the rest of its body before the response is sent.
pub(super) async fn read_rest(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    // Such a client sends its body after the server has asked for it, and hyper asks when the body is first read.
    let waits_to_be_asked = request.headers().contains_key(EXPECT);
    let (sender, mut returned) = oneshot::channel();
    let request = request.map(|body| Body::new(Returned { rest: Some((body, sender)), is_started: false }));
    let response = next.run(request).await;
    if let Ok(Rest { body, is_started }) = returned.try_recv()
        && (is_started || !waits_to_be_asked)
        && body.size_hint().lower() <= MAX_BYTES
    {
        // After an error or the time limit, the response is sent nevertheless.
        let _ = tokio::time::timeout(MAX_TIME, drop_bytes(body)).await;
    }
    response
}

async fn drop_bytes(mut body: Body) {
    let mut left = MAX_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        let size = frame.data_ref().map_or(0, |bytes| bytes.len() as u64);
        let Some(rest) = left.checked_sub(size) else { return };
        left = rest;
    }
}

/// A body that a handler dropped.
struct Rest {
    body: Body,
    is_started: bool,
}

/// A body that is sent back if it is dropped before its end.
struct Returned {
    rest: Option<(Body, oneshot::Sender<Rest>)>,
    is_started: bool,
}

impl http_body::Body for Returned {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.is_started = true;
        let Some((body, _)) = &mut self.rest else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.rest = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.as_ref().is_none_or(|(body, _)| body.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.as_ref().map_or_else(|| SizeHint::with_exact(0), |(body, _)| body.size_hint())
    }
}

impl Drop for Returned {
    fn drop(&mut self) {
        if let Some((body, sender)) = self.rest.take()
            && !body.is_end_stream()
        {
            // An error means that the request was cancelled.
            let _ = sender.send(Rest { body, is_started: self.is_started });
        }
    }
}

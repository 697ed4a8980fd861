//! Passes the requests of a connection to the routes, and notes how long each runs.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::{Body as _, Incoming};
use hyper::{Request, Response, Version};
use tower::Service;

use super::activity::{Activity, Awaited, Running};
use crate::site::Connection;

/// The largest part of an answer that HTTP/2 gets at once, in bytes: the usual size of a frame. HTTP/2 keeps what it got
/// until the window of the client has room for all of it, and asks for more only if there is some room.
const MAX_PART: usize = 16 << 10;

/// The requests of one connection.
pub(super) struct Requests {
    pub(super) router: Router,
    pub(super) connection: Connection,
    pub(super) activity: Arc<Activity>,
}

impl hyper::service::Service<Request<Incoming>> for Requests {
    type Response = Response<Answer>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Answer>, Infallible>> + Send>>;

    fn call(&self, mut request: Request<Incoming>) -> Self::Future {
        let running = self.activity.begin(request.version());
        let max_part = if request.version() == Version::HTTP_2 { MAX_PART } else { usize::MAX };
        request.extensions_mut().insert(self.connection);
        let (activity, number) = (Arc::clone(&self.activity), running.number());
        let request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(Arriving { body, activity, number, awaited: None }),
        });
        // A router is always ready.
        let answer = self.router.clone().call(request);
        let answer = async move {
            let response = answer.await?;
            running.offer(true);
            Ok(response.map(|body| Answer { body, rest: None, max_part, running }))
        };
        Box::pin(answer)
    }
}

/// The body of a request. It notes the time for which its handler waits for a part of it.
struct Arriving {
    body: Incoming,
    activity: Arc<Activity>,
    number: u64,
    awaited: Option<Awaited>,
}

impl http_body::Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match polled {
            Poll::Ready(_) => self.awaited = None,
            Poll::Pending if self.awaited.is_none() => self.awaited = Some(self.activity.await_body(self.number)),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of a response. Its request runs until it is dropped.
pub(super) struct Answer {
    body: Body,
    /// The rest of a large part of the body.
    rest: Option<Bytes>,
    /// The largest part that is handed on at once, in bytes.
    max_part: usize,
    running: Running,
}

impl Answer {
    /// Returns the next frame of the body, or a part of it.
    fn poll_part(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut part = match self.rest.take() {
            Some(rest) => rest,
            None => match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                other => return other,
            },
        };
        if part.len() > self.max_part {
            self.rest = Some(part.split_off(self.max_part));
        }
        Poll::Ready(Some(Ok(Frame::data(part))))
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    /// The connection asks for a part when its client has room for some of it.
    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = self.poll_part(context);
        self.running.offer(matches!(polled, Poll::Ready(Some(Ok(_)))));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_none() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (hint, rest) = (self.body.size_hint(), self.rest.as_ref().map_or(0, Bytes::len) as u64);
        let mut all = SizeHint::new();
        all.set_lower(hint.lower().saturating_add(rest));
        if let Some(upper) = hint.upper() {
            all.set_upper(upper.saturating_add(rest));
        }
        all
    }
}

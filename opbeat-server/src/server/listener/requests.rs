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
use hyper::{Request, Response};
use tower::Service;

use super::activity::{Activity, Awaited, Running};
use crate::site::Connection;

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
        request.extensions_mut().insert(self.connection);
        let activity = Arc::clone(&self.activity);
        let request = request.map(|body| match body.is_end_stream() {
            true => Body::empty(),
            false => Body::new(Arriving { body, activity, awaited: None }),
        });
        // A router is always ready.
        let answer = self.router.clone().call(request);
        Box::pin(async move { answer.await.map(|response| response.map(|body| Answer { body, _running: running })) })
    }
}

/// The body of a request. It notes the time for which its handler waits for a part of it.
struct Arriving {
    body: Incoming,
    activity: Arc<Activity>,
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
            Poll::Pending if self.awaited.is_none() => self.awaited = Some(self.activity.await_body()),
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
    _running: Running,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

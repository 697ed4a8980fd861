//! The floor as a layer for axum.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::MatchedPath;
use axum::http::{Method, Request, Response};
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{Floor, Open};

type Name = (Method, Option<MatchedPath>);

#[derive(Clone)]
pub(crate) struct FloorLayer(Floor<Name>);

impl FloorLayer {
    pub(crate) fn new(floor: Floor<Name>) -> Self {
        Self(floor)
    }
}

impl<S> Layer<S> for FloorLayer {
    type Service = FloorService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FloorService { inner, floor: self.0.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct FloorService<S> {
    inner: S,
    floor: Floor<Name>,
}

impl<S, A, B> Service<Request<A>> for FloorService<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    B: Body,
{
    type Response = Response<FloorBody<B>>;
    type Error = S::Error;
    type Future = FloorFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        let name = (request.method().clone(), request.extensions().get().cloned());
        let open = Some(Open::new(&self.floor, name));
        FloorFuture { inner: self.inner.call(request), open }
    }
}

#[pin_project]
pub(crate) struct FloorFuture<F> {
    #[pin]
    inner: F,
    open: Option<Open<Name>>,
}

impl<F, B, E> Future for FloorFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
    B: Body,
{
    type Output = Result<Response<FloorBody<B>>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut open = this.open.take();
        if let Some(open) = &mut open {
            open.head(response.status().as_u16());
        }
        Poll::Ready(Ok(response.map(|inner| FloorBody { inner, open })))
    }
}

#[pin_project]
pub(crate) struct FloorBody<B> {
    #[pin]
    inner: B,
    open: Option<Open<Name>>,
}

impl<B: Body> Body for FloorBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.inner.as_mut().poll_frame(cx));
        if frame.is_none() || this.inner.is_end_stream() {
            *this.open = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

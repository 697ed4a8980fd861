//! The floor as a middleware for actix-web.

use std::future::{Ready, ready};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::Method;
use actix_web::web::Bytes;
use pin_project::pin_project;

use super::{Floor, Open};

type Name = (Method, Option<String>);

#[derive(Clone)]
pub(crate) struct FloorMiddleware(Floor<Name>);

impl FloorMiddleware {
    pub(crate) fn new(floor: Floor<Name>) -> Self {
        Self(floor)
    }
}

impl<S, B> Transform<S, ServiceRequest> for FloorMiddleware
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<FloorBody<B>>;
    type Error = Error;
    type Transform = FloorService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, inner: S) -> Self::Future {
        ready(Ok(FloorService { inner, floor: self.0.clone() }))
    }
}

pub(crate) struct FloorService<S> {
    inner: S,
    floor: Floor<Name>,
}

impl<S, B> Service<ServiceRequest> for FloorService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    type Response = ServiceResponse<FloorBody<B>>;
    type Error = Error;
    type Future = FloorFuture<S::Future>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let open = Some(Open::new(&self.floor, (request.method().clone(), None)));
        FloorFuture { inner: self.inner.call(request), open }
    }
}

#[pin_project]
pub(crate) struct FloorFuture<F> {
    #[pin]
    inner: F,
    open: Option<Open<Name>>,
}

impl<F, B> Future for FloorFuture<F>
where
    F: Future<Output = Result<ServiceResponse<B>, Error>>,
    B: MessageBody,
{
    type Output = Result<ServiceResponse<FloorBody<B>>, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let response = ready!(this.inner.poll(cx))?;
        let mut open = this.open.take();
        if let Some(open) = &mut open {
            open.head(response.status().as_u16());
            // On the response's request, the resource is looked up and not matched again.
            open.rename(|(_, route)| *route = response.request().match_pattern());
        }
        Poll::Ready(Ok(response.map_body(|_, inner| FloorBody { inner, open })))
    }
}

#[pin_project]
pub(crate) struct FloorBody<B> {
    #[pin]
    inner: B,
    open: Option<Open<Name>>,
}

impl<B: MessageBody> MessageBody for FloorBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.inner.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        let chunk = ready!(this.inner.poll_next(cx));
        if chunk.is_none() {
            *this.open = None;
        }
        Poll::Ready(chunk)
    }
}

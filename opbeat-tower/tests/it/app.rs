//! The application that the behaviour table asks for, as a tower service without a framework.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use opbeat_core::testing::behaviour::{describe, wait_forever};
use opbeat_tower::http::route;
use opbeat_tower::{RequestHead, TransactionName};

pub(crate) type Body = BoxBody<Bytes, Infallible>;

/// What a service without a framework fails with.
#[derive(Debug)]
pub(crate) struct NoShelf;

impl std::fmt::Display for NoShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no shelf")
    }
}

impl std::error::Error for NoShelf {}

/// Names requests after the routes below.
pub(crate) fn route_name(head: &RequestHead<'_>) -> Option<TransactionName> {
    let template = match head.uri.path() {
        path if path.starts_with("/books/") => "/books/{id}",
        path if path.starts_with("/shop/cart/") => "/shop/cart/{id}",
        path if path.starts_with("/nowhere") => return None,
        path => return Some(route(head.method.as_str(), path)),
    };
    Some(route(head.method.as_str(), template))
}

pub(crate) async fn handle<B>(request: Request<B>) -> Result<Response<Body>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    Ok(match (method, path.as_str()) {
        (Method::HEAD, "/books/1") => status(StatusCode::OK),
        (Method::DELETE, "/books/1") => status(StatusCode::NO_CONTENT),
        (Method::GET, path) if path.starts_with("/books/") || path.starts_with("/shop/cart/") => {
            text(StatusCode::OK, path.rsplit('/').next().unwrap_or_default().to_owned())
        }
        (Method::POST, "/books") => text(StatusCode::UNPROCESSABLE_ENTITY, "no title"),
        (_, "/streamed") => chunks(stream::iter(["one", "two", "three"])),
        (_, "/empty") => status(StatusCode::OK),
        (_, "/cached") => status(StatusCode::NOT_MODIFIED),
        (_, "/failing") => text(StatusCode::SERVICE_UNAVAILABLE, "closed"),
        (_, "/error") => {
            opbeat_tower::capture_error(&NoShelf);
            text(StatusCode::INTERNAL_SERVER_ERROR, "")
        }
        (_, "/panicking") => panic!("no books"),
        (_, "/panicking-body") => {
            chunks(stream::once(async { "one" }).chain(stream::once(async { panic!("no pages") })))
        }
        (_, "/endless") => chunks(stream::repeat("one")),
        (_, "/waiting") => {
            wait_forever().await;
            status(StatusCode::OK)
        }
        (_, "/described") => {
            describe();
            text(StatusCode::OK, "described")
        }
        _ => status(StatusCode::NOT_FOUND),
    })
}

pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).boxed());
    *response.status_mut() = status;
    response
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().boxed());
    *response.status_mut() = status;
    response
}

fn chunks(chunks: impl Stream<Item = &'static str> + Send + Sync + 'static) -> Response<Body> {
    let frames = chunks.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

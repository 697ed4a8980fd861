//! The application that the behaviour table requires, as a tower service without a framework.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRAILER, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use opbeat_core::http::route;
use opbeat_testing::behaviour::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};
use opbeat_tower::{CapturedError, Outcome, RequestHead, RouteName, TransactionName};

pub(crate) type Body = BoxBody<Bytes, CartError>;

/// The time limit of requests that have one.
pub(crate) const LIMIT: Duration = Duration::from_millis(1);

/// The error of a service without a framework.
#[derive(Debug)]
pub(crate) struct NoShelf;

impl std::fmt::Display for NoShelf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("there is no shelf")
    }
}

impl std::error::Error for NoShelf {}

/// Knows the routes below, and the client's address, which the server adds to the extensions.
#[derive(Clone, Copy)]
pub(crate) struct Routes;

impl RouteName for Routes {
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        route_name(head)
    }

    fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        head.extensions.get::<SocketAddr>().map(SocketAddr::ip)
    }
}

fn route_name(head: &RequestHead<'_>) -> Option<TransactionName> {
    let template = match head.uri.path() {
        path if path.starts_with("/books/") => "/books/{id}",
        path if path.starts_with("/shop/cart/") => "/shop/cart/{id}",
        path if path.starts_with("/files/") => "/files/*",
        path if path.starts_with("/turns/") => "/turns/{id}",
        path if path.contains("/nowhere") => return None,
        path => path,
    };
    Some(route(head.method.as_str(), template))
}

type CallFuture = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

/// Handles a request. One route panics here, before there is a future.
pub(crate) fn call<B>(request: Request<B>) -> CallFuture
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    if request.uri().path() == "/panicking-call" {
        panic!("no shelf");
    }
    Box::pin(async { Ok(handle(request).await) })
}

async fn handle<B>(request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send,
    B::Data: Send,
{
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    match (method, path.as_str()) {
        (Method::HEAD, "/books/1") => status(StatusCode::OK),
        (Method::DELETE, "/books/1") => status(StatusCode::NO_CONTENT),
        (Method::PUT, "/books/1") => status(StatusCode::METHOD_NOT_ALLOWED),
        (Method::GET, path) if path.starts_with("/books/") || path.starts_with("/shop/cart/") => {
            text(StatusCode::OK, path.rsplit('/').next().unwrap_or_default().to_owned())
        }
        (Method::GET, path) if path.starts_with("/files/") => text(StatusCode::OK, "a file"),
        (Method::POST, "/books") => {
            tag();
            text(StatusCode::UNPROCESSABLE_ENTITY, "no title")
        }
        (Method::CONNECT, "/tunnel") => {
            tag();
            status(StatusCode::OK)
        }
        (Method::GET, path) if path.starts_with("/old/") => text(StatusCode::GONE, "gone"),
        (Method::GET, path) if path.starts_with("/turns/") => turns(path).await,
        (Method::POST, "/echo") => echo(request).await,
        (_, path) => respond(path).await.unwrap_or_else(|| end(path)),
    }
}

async fn respond(path: &str) -> Option<Response<Body>> {
    Some(match path {
        "/streamed" => chunks(stream::iter(["one", "two", "three"])),
        "/sized" => with_header(chunks(stream::iter(["one", "two"])), CONTENT_LENGTH, "6"),
        "/short-body" => with_header(chunks(stream::iter(["one"])), CONTENT_LENGTH, "10"),
        "/large" => text(StatusCode::OK, large_body()),
        "/gated" => chunks(stream::once(async { "one" }).chain(stream::once(second_chunk()))),
        "/events" => {
            with_header(chunks(stream::iter(["data: one\n\n", "data: two\n\n"])), CONTENT_TYPE, "text/event-stream")
        }
        "/trailers" => trailers(),
        "/empty" => status(StatusCode::OK),
        "/healthz" => text(StatusCode::OK, "fine"),
        "/cached" => status(StatusCode::NOT_MODIFIED),
        "/twice" => text(StatusCode::OK, "twice"),
        "/relayed" => {
            tag();
            text(StatusCode::OK, "relayed")
        }
        "/upgrade" => {
            tag();
            with_header(status(StatusCode::SWITCHING_PROTOCOLS), UPGRADE, "chess")
        }
        "/renamed" => {
            rename();
            text(StatusCode::OK, "renamed")
        }
        "/described" => {
            describe();
            text(StatusCode::OK, "described")
        }
        "/spawned" => {
            let counted = opbeat_core::task::spawn(async { count_shelves() }).await;
            text(StatusCode::OK, if counted.is_ok() { "spawned" } else { "the task failed" })
        }
        "/timeout" => timeout().await,
        "/late" => tagged_forever().await,
        "/waiting" => {
            wait_forever().await;
            status(StatusCode::OK)
        }
        _ => return None,
    })
}

fn end(path: &str) -> Response<Body> {
    match path {
        "/failing" => {
            tag();
            text(StatusCode::SERVICE_UNAVAILABLE, "closed")
        }
        "/error" => {
            opbeat_tower::capture_error(&NoShelf);
            text(StatusCode::INTERNAL_SERVER_ERROR, "")
        }
        "/chain" => fail(&CartError::new()),
        "/captured" => {
            let error = CartError::new();
            opbeat_tower::capture_error(&error);
            fail(&error)
        }
        "/shed" => {
            tag();
            opbeat_tower::current().set_outcome(Outcome::Shed);
            status(StatusCode::SERVICE_UNAVAILABLE)
        }
        "/panicking" => {
            tag();
            panic!("no books")
        }
        "/broken-body" => {
            tag();
            broken()
        }
        "/panicking-body" => {
            tag();
            chunks(stream::once(async { "one" }).chain(stream::once(async { panic!("no pages") })))
        }
        "/endless" => {
            tag();
            let held = tag_on_drop();
            chunks(stream::repeat("one").inspect(move |_| _ = &held))
        }
        _ => status(StatusCode::NOT_FOUND),
    }
}

async fn timeout() -> Response<Body> {
    let response = tokio::time::timeout(LIMIT, tagged_forever()).await;
    response.unwrap_or_else(|_| status(StatusCode::GATEWAY_TIMEOUT))
}

async fn tagged_forever() -> Response<Body> {
    tag();
    std::future::pending().await
}

async fn echo<B>(request: Request<B>) -> Response<Body>
where
    B: http_body::Body,
{
    match request.into_body().collect().await {
        Ok(body) => text(StatusCode::OK, body.to_bytes()),
        Err(_) => status(StatusCode::BAD_REQUEST),
    }
}

async fn turns(path: &str) -> Response<Body> {
    let id = path.rsplit('/').next().unwrap_or_default();
    interleave(id).await;
    text(StatusCode::OK, id.to_owned())
}

async fn second_chunk() -> &'static str {
    wait_for_reader().await;
    "two"
}

/// Returns a failed response with its error in the extensions.
fn fail(error: &CartError) -> Response<Body> {
    let mut response = status(StatusCode::INTERNAL_SERVER_ERROR);
    response.extensions_mut().insert(CapturedError::new(error));
    response
}

pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

pub(crate) fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    response
}

fn with_header(mut response: Response<Body>, name: http::HeaderName, value: &'static str) -> Response<Body> {
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    response
}

fn trailers() -> Response<Body> {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"one"))), Ok(Frame::trailers(trailers))];
    let body = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
    with_header(Response::new(body), TRAILER, "x-checksum")
}

fn chunks(chunks: impl Stream<Item = &'static str> + Send + Sync + 'static) -> Response<Body> {
    let frames = chunks.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    Response::new(BodyExt::boxed(StreamBody::new(frames)))
}

/// Returns a body that never produces a frame.
pub(crate) fn pending_body() -> Response<Body> {
    chunks(stream::pending())
}

/// Returns a body with a chunk and then an error.
fn broken() -> Response<Body> {
    let frames = [Ok(Frame::data(Bytes::from_static(b"one"))), Err(CartError::new())];
    Response::new(BodyExt::boxed(StreamBody::new(stream::iter(frames))))
}

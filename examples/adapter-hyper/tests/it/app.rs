//! The application of the behaviour table, written with the example's router.

use std::io;
use std::time::Duration;

use adapter_hyper::{Body, Opbeat, Router};
use futures_util::{Stream, StreamExt, stream};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, TRAILER, UPGRADE};
use hyper::http::{HeaderMap, HeaderValue};
use hyper::service::Service;
use hyper::{Method, Request, Response, StatusCode};
use opbeat_core::Agent;
use opbeat_core::http::CapturedError;
use opbeat_core::record::Outcome;
use opbeat_testing::behaviour::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};

/// The time limit of limited requests.
pub(crate) const LIMIT: Duration = Duration::from_millis(1);

type Result = std::result::Result<Response<Body>, CapturedError>;

pub(crate) fn router(agent: &Agent) -> Router {
    ends(names(responses(Router::default()), agent))
}

fn responses(router: Router) -> Router {
    router
        .at(Method::GET, "/books/{id}", echo_id)
        .at(Method::HEAD, "/books/{id}", async |_| status(StatusCode::OK))
        .at(Method::DELETE, "/books/{id}", async |_| status(StatusCode::NO_CONTENT))
        .at(Method::POST, "/books", async |_| says(tag, StatusCode::UNPROCESSABLE_ENTITY, "no title"))
        .at(Method::POST, "/echo", async |request| {
            text(StatusCode::OK, request.into_body().collect().await?.to_bytes())
        })
        .at(Method::GET, "/streamed", async |_| chunks(stream::iter(["one", "two", "three"])))
        .at(Method::GET, "/sized", async |_| with_header(chunks(stream::iter(["one", "two"])), CONTENT_LENGTH, "6"))
        .at(Method::GET, "/short-body", async |_| with_header(chunks(stream::iter(["one"])), CONTENT_LENGTH, "10"))
        .at(Method::GET, "/large", async |_| text(StatusCode::OK, large_body()))
        .at(Method::GET, "/gated", async |_| chunks(stream::once(async { "one" }).chain(stream::once(second_chunk()))))
        .at(Method::GET, "/events", events)
        .at(Method::GET, "/trailers", trailers)
        .at(Method::GET, "/empty", async |_| status(StatusCode::OK))
        .at(Method::GET, "/cached", async |_| status(StatusCode::NOT_MODIFIED))
        .at(Method::GET, "/upgrade", upgrade)
        .at(Method::CONNECT, "/tunnel", async |_| says(tag, StatusCode::OK, ""))
}

fn names(router: Router, agent: &Agent) -> Router {
    let twice = Router::default().at(Method::GET, "/twice", async |_| text(StatusCode::OK, "twice"));
    let twice = Opbeat::new(agent, twice);
    let relayed = Router::default().at(Method::GET, "/relayed", async |_| says(tag, StatusCode::OK, "relayed"));
    let relayed = Opbeat::new(agent, relayed);
    router
        .at(Method::GET, "/shop/cart/{id}", echo_id)
        .at(Method::GET, "/files/*", async |_| text(StatusCode::OK, "a file"))
        .at(Method::GET, "/twice", move |request| {
            let answer = twice.call(request);
            async { Ok(answer.await?.map(BodyExt::boxed)) }
        })
        .at(Method::GET, "/relayed", move |request| {
            let answer = tokio::spawn(relayed.call(request));
            async { Ok(answer.await??.map(BodyExt::boxed)) }
        })
        .at(Method::GET, "/renamed", async |_| says(rename, StatusCode::OK, "renamed"))
        .at(Method::GET, "/healthz", async |_| text(StatusCode::OK, "fine"))
}

fn ends(router: Router) -> Router {
    router
        .at(Method::GET, "/failing", async |_| says(tag, StatusCode::SERVICE_UNAVAILABLE, "closed"))
        .at(Method::GET, "/error", async |_| Err(io::Error::other("the shelf is broken"))?)
        .at(Method::GET, "/chain", async |_| Err(CartError::new())?)
        .at(Method::GET, "/captured", captured)
        .at(Method::GET, "/timeout", timeout)
        .at(Method::GET, "/shed", shed)
        .at(Method::GET, "/late", async |_| tagged_forever().await)
        .at(Method::GET, "/broken-body", broken)
        .at(Method::GET, "/panicking", panicking)
        .at(Method::GET, "/panicking-call", |_| -> std::future::Ready<Result> { panic!("no shelf") })
        .at(Method::GET, "/panicking-body", async |_| {
            tag();
            chunks(stream::once(async { "one" }).chain(stream::once(async { panic!("no pages") })))
        })
        .at(Method::GET, "/endless", endless)
        .at(Method::GET, "/waiting", waiting)
        .at(Method::GET, "/described", async |_| says(describe, StatusCode::OK, "described"))
        .at(Method::GET, "/spawned", spawned)
        .at(Method::GET, "/turns/{id}", turns)
}

async fn echo_id(request: Request<Incoming>) -> Result {
    text(StatusCode::OK, request.uri().path().rsplit('/').next().unwrap_or_default().to_owned())
}

async fn events(_: Request<Incoming>) -> Result {
    with_header(chunks(stream::iter(["data: one\n\n", "data: two\n\n"])), CONTENT_TYPE, "text/event-stream")
}

async fn trailers(_: Request<Incoming>) -> Result {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"one"))), Ok(Frame::trailers(trailers))];
    let body = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
    with_header(Ok(Response::new(body)), TRAILER, "x-checksum")
}

async fn upgrade(_: Request<Incoming>) -> Result {
    tag();
    with_header(status(StatusCode::SWITCHING_PROTOCOLS), UPGRADE, "chess")
}

async fn captured(_: Request<Incoming>) -> Result {
    let error = CartError::new();
    opbeat_core::capture_error(&error);
    Err(error)?
}

async fn tagged_forever() -> Result {
    tag();
    std::future::pending().await
}

async fn timeout(_: Request<Incoming>) -> Result {
    let endless = tokio::time::timeout(LIMIT, tagged_forever()).await;
    endless.unwrap_or_else(|_| status(StatusCode::GATEWAY_TIMEOUT))
}

async fn shed(_: Request<Incoming>) -> Result {
    tag();
    opbeat_core::current().set_outcome(Outcome::Shed);
    status(StatusCode::SERVICE_UNAVAILABLE)
}

async fn panicking(_: Request<Incoming>) -> Result {
    tag();
    panic!("no books")
}

async fn endless(_: Request<Incoming>) -> Result {
    tag();
    let held = tag_on_drop();
    chunks(stream::repeat("one").inspect(move |_| _ = &held))
}

async fn waiting(_: Request<Incoming>) -> Result {
    wait_forever().await;
    status(StatusCode::OK)
}

async fn spawned(_: Request<Incoming>) -> Result {
    opbeat_core::task::spawn(async { count_shelves() }).await?;
    text(StatusCode::OK, "spawned")
}

/// A body of one chunk that then fails.
async fn broken(_: Request<Incoming>) -> Result {
    tag();
    let frames = [Ok(Frame::data(Bytes::from_static(b"one"))), Err(io::Error::other(CartError::new()))];
    Ok(Response::new(BodyExt::boxed(StreamBody::new(stream::iter(frames)))))
}

async fn turns(request: Request<Incoming>) -> Result {
    interleave(request.uri().path().rsplit('/').next().unwrap_or_default()).await;
    echo_id(request).await
}

async fn second_chunk() -> &'static str {
    wait_for_reader().await;
    "two"
}

fn says(say: fn(), status: StatusCode, body: &'static str) -> Result {
    say();
    text(status, body)
}

fn text(status: StatusCode, text: impl Into<Bytes>) -> Result {
    let mut response = Response::new(Full::new(text.into()).map_err(|never| match never {}).boxed());
    *response.status_mut() = status;
    Ok(response)
}

fn status(status: StatusCode) -> Result {
    text(status, "")
}

fn with_header(response: Result, name: hyper::header::HeaderName, value: &'static str) -> Result {
    let mut response = response?;
    response.headers_mut().insert(name, HeaderValue::from_static(value));
    Ok(response)
}

fn chunks(chunks: impl Stream<Item = &'static str> + Send + Sync + 'static) -> Result {
    let frames = chunks.map(|chunk| Ok(Frame::data(Bytes::from_static(chunk.as_bytes()))));
    Ok(Response::new(BodyExt::boxed(StreamBody::new(frames))))
}

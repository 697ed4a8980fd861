//! The application of the behaviour table, written with poem.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use adapter_poem::Opbeat;
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use opbeat_core::http::CapturedError;
use opbeat_core::record::Outcome;
use opbeat_testing::behaviour::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};
use poem::endpoint::make_sync;
use poem::error::{GatewayTimeout, InternalServerError};
use poem::http::{HeaderMap, HeaderValue, StatusCode};
use poem::web::Path;
use poem::{Body, Endpoint, EndpointExt, IntoResponse, Request, Response, Result, Route, get, handler, post};

pub(crate) fn route(opbeat: &Opbeat) -> Route {
    let route = responses(Route::new());
    ends(names(route, opbeat), opbeat)
}

fn responses(route: Route) -> Route {
    route
        .at("/books/:id", get(echo_id).delete(make_sync(|_| StatusCode::NO_CONTENT)))
        .at("/books", post(make_sync(|_| tagged((StatusCode::UNPROCESSABLE_ENTITY, "no title")))))
        .at("/echo", post(echo))
        .at("/streamed", get(make_sync(|_| chunks(&["one", "two", "three"], stream::empty()))))
        .at("/sized", get(make_sync(|_| chunks(&["one", "two"], stream::empty()).with_header("content-length", "6"))))
        .at("/short-body", get(make_sync(|_| chunks(&["one"], stream::empty()).with_header("content-length", "10"))))
        .at("/large", get(make_sync(|_| large_body())))
        .at("/gated", get(make_sync(|_| chunks(&["one"], stream::once(second_chunk())))))
        .at("/events", get(make_sync(|_| events())))
        .at("/trailers", get(make_sync(|_| trailers())))
        .at("/empty", get(make_sync(|_| StatusCode::OK)))
        .at("/cached", get(make_sync(|_| StatusCode::NOT_MODIFIED)))
        .at("/upgrade", get(upgrade))
}

fn names(route: Route, opbeat: &Opbeat) -> Route {
    route
        .nest("/shop", Route::new().at("/cart/:id", get(echo_id)))
        .at("/files/*path", make_sync(|_| "a file"))
        .at("/twice", get(make_sync(|_| "twice")).with(opbeat.clone()))
        .at("/relayed", get(make_sync(|_| tagged("relayed"))).with(opbeat.clone()).around(relay))
        .at("/renamed", get(renamed))
        .at("/healthz", get(make_sync(|_| "fine")))
}

/// Routes that panic have a middleware of their own, which knows the route before the handler runs.
fn ends(route: Route, opbeat: &Opbeat) -> Route {
    route
        .at("/failing", get(make_sync(|_| tagged((StatusCode::SERVICE_UNAVAILABLE, "closed")))))
        .at("/error", get(failing))
        .at("/chain", get(chain))
        .at("/captured", get(captured))
        .at("/timeout", get(timeout))
        .at("/shed", get(shed))
        .at("/panicking", get(panicking).with(opbeat.clone()))
        .at("/panicking-call", get(make_sync(|_| -> Response { panic!("no shelf") })).with(opbeat.clone()))
        .at("/panicking-body", get(make_sync(|_| tagged(chunks(&["one"], stream::once(no_pages()))))))
        .at("/broken-body", get(make_sync(|_| tagged(chunks(&["one"], stream::once(broken()))))))
        .at("/endless", get(endless))
        .at("/waiting", get(waiting))
        .at("/described", get(described))
        .at("/spawned", get(spawned))
        .at("/turns/:id", get(turns))
}

/// Calls the rest of the application on another task.
async fn relay<E: Endpoint + 'static>(endpoint: Arc<E>, request: Request) -> Result<E::Output> {
    tokio::spawn(async move { endpoint.call(request).await }).await.map_err(InternalServerError)?
}

#[handler]
fn echo_id(Path(id): Path<u32>) -> String {
    id.to_string()
}

#[handler]
fn echo(body: String) -> String {
    body
}

fn events() -> Response {
    let body = chunks(&["data: one\n\n", "data: two\n\n"], stream::empty()).into_body();
    Response::builder().content_type("text/event-stream").body(body)
}

fn trailers() -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [Ok(Frame::data(Bytes::from_static(b"one"))), Ok(Frame::trailers(trailers))];
    let body = BodyExt::boxed(StreamBody::new(stream::iter(frames)));
    Response::builder().header("trailer", "x-checksum").body(Body::from(body))
}

#[handler]
fn upgrade() -> Response {
    tag();
    Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("upgrade", "chess").finish()
}

#[handler]
fn renamed() -> &'static str {
    rename();
    "renamed"
}

#[handler]
fn described() -> &'static str {
    describe();
    "described"
}

#[handler]
fn failing() -> Result<()> {
    Err(InternalServerError(io::Error::other("the shelf is broken")))
}

#[handler]
fn chain() -> Result<()> {
    let error = CartError::new();
    let failure = CapturedError::new(&error);
    let mut error = InternalServerError(error);
    error.set_data(failure);
    Err(error)
}

#[handler]
fn captured() -> Result<()> {
    let error = CartError::new();
    opbeat_core::capture_error(&error);
    Err(InternalServerError(error))
}

#[handler]
async fn timeout() -> Result<()> {
    tag();
    tokio::time::timeout(Duration::from_millis(1), std::future::pending()).await.map_err(GatewayTimeout)
}

#[handler]
fn shed() -> StatusCode {
    tag();
    opbeat_core::current().set_outcome(Outcome::Shed);
    StatusCode::SERVICE_UNAVAILABLE
}

#[handler]
fn panicking() -> Response {
    tag();
    panic!("no books")
}

#[handler]
fn endless() -> Response {
    let held = tag_on_drop();
    tagged(chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))).inspect(move |_| _ = &held)))
}

#[handler]
async fn waiting() {
    wait_forever().await;
}

#[handler]
async fn spawned() -> Result<&'static str> {
    opbeat_core::task::spawn(async { count_shelves() }).await.map_err(InternalServerError)?;
    Ok("spawned")
}

#[handler]
async fn turns(Path(id): Path<String>) -> String {
    interleave(&id).await;
    id
}

fn tagged(answer: impl IntoResponse) -> Response {
    tag();
    answer.into_response()
}

async fn second_chunk() -> Chunk {
    wait_for_reader().await;
    Ok(Bytes::from_static(b"two"))
}

async fn broken() -> Chunk {
    Err(io::Error::other(CartError::new()))
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

type Chunk = io::Result<Bytes>;

fn chunks(first: &'static [&'static str], rest: impl Stream<Item = Chunk> + Send + 'static) -> Response {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    Response::from(Body::from_bytes_stream(first.chain(rest)))
}

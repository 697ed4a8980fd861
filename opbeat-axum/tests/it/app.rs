//! The application that the behaviour table requires, written with axum.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::extract::Path;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRAILER, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::middleware::{Next, from_fn, map_request};
use axum::response::{IntoResponse, Response};
use axum::routing::{connect, get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use http_body::Frame;
use http_body_util::StreamBody;
use opbeat_axum::{Agent, OpbeatLayer, handle_error};
use opbeat_testing::behaviour::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};
use tower::{ServiceBuilder, service_fn};

const LIMIT: Duration = Duration::from_millis(1);

pub(crate) fn router(agent: &Agent) -> Router {
    let layer = OpbeatLayer::new(agent).nested_service("/files");
    let monitored = responses().merge(names(agent)).merge(ends()).layer(layer);
    // The fallback of the last router handles unmatched paths, so that router needs the layer.
    limited(agent).merge(monitored)
}

/// Routes with limits outside of the layer.
fn limited(agent: &Agent) -> Router {
    let layer = OpbeatLayer::new(agent);
    let late = limits().timeout(LIMIT).layer(layer.clone().outer_time_limit(LIMIT));
    let full = limits().load_shed().concurrency_limit(0).layer(layer);
    let late = Router::new().route("/late", get(tagged_forever)).route_layer(late);
    late.merge(Router::new().route("/full", get(async || "full")).route_layer(full))
}

fn responses() -> Router {
    Router::new()
        .route("/books/{id}", get(echo_id).delete(async || StatusCode::NO_CONTENT))
        .route("/books", post(async || tagged((StatusCode::UNPROCESSABLE_ENTITY, "no title"))))
        .route("/echo", post(async |body: String| body))
        .route("/streamed", get(async || chunks(&["one", "two", "three"], stream::empty())))
        .route("/sized", get(async || ([(CONTENT_LENGTH, "6")], chunks(&["one", "two"], stream::empty()))))
        .route("/short-body", get(async || ([(CONTENT_LENGTH, "10")], chunks(&["one"], stream::empty()))))
        .route("/large", get(async || large_body()))
        .route("/gated", get(async || chunks(&["one"], stream::once(second_chunk()))))
        .route("/events", get(events))
        .route("/trailers", get(trailers))
        .route("/empty", get(async || StatusCode::OK))
        .route("/cached", get(async || StatusCode::NOT_MODIFIED))
        .route("/upgrade", get(upgrade))
        .route("/tunnel", connect(async || tagged(StatusCode::OK)))
}

fn names(agent: &Agent) -> Router {
    let cart = Router::new().route("/cart/{id}", get(echo_id));
    let old = Router::new().fallback(async || (StatusCode::GONE, "gone"));
    let twice = Router::new().route("/twice", get(async || "twice")).layer(OpbeatLayer::new(agent));
    let relayed = Router::new()
        .route("/relayed", get(async || tagged("relayed")))
        .layer(OpbeatLayer::new(agent))
        .layer(from_fn(relay));
    let files = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("a file"))));
    Router::new()
        .nest("/shop", cart)
        .nest("/old", old)
        .nest_service("/files", files)
        .merge(twice)
        .merge(relayed)
        .route("/renamed", get(renamed))
        .route("/healthz", get(async || "fine"))
}

/// Calls the rest of the application on another task.
async fn relay(request: Request<Body>, next: Next) -> opbeat_axum::Result<Response> {
    Ok(tokio::spawn(next.run(request)).await?)
}

fn ends() -> Router {
    let panics_in_call =
        service_fn(|_: Request<Body>| -> std::future::Ready<Result<Response, Infallible>> { panic!("no shelf") });
    Router::new()
        .route("/failing", get(async || tagged((StatusCode::SERVICE_UNAVAILABLE, "closed"))))
        .route("/error", get(async || Json(Unwritable)))
        .route("/chain", get(chain))
        .route("/captured", get(captured))
        .route("/timeout", get(tagged_forever).layer(limits().timeout(LIMIT)))
        .route(
            "/shed",
            get(async || "shed").layer(limits().load_shed().concurrency_limit(0)).layer(map_request(tagging)),
        )
        .route("/broken-body", get(async || tagged(Body::from_stream(broken()))))
        .route("/panicking", get(panicking))
        .route_service("/panicking-call", panics_in_call)
        .route("/panicking-body", get(async || tagged(chunks(&["one"], stream::once(no_pages())))))
        .route("/endless", get(endless))
        .route("/waiting", get(wait_forever))
        .route("/described", get(described))
        .route("/spawned", get(spawned))
        .route("/turns/{id}", get(turns))
}

/// Starts the limits of a route with the handler of their errors, which has to be outside of them.
fn limits()
-> ServiceBuilder<tower::layer::util::Stack<HandleErrorLayer<ErrorHandler, ()>, tower::layer::util::Identity>> {
    ServiceBuilder::new().layer(HandleErrorLayer::new(respond as ErrorHandler))
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type ErrorHandler = fn(BoxError) -> futures_util::future::BoxFuture<'static, (StatusCode, &'static str)>;

fn respond(error: BoxError) -> futures_util::future::BoxFuture<'static, (StatusCode, &'static str)> {
    Box::pin(handle_error(error))
}

async fn echo_id(Path(id): Path<u32>) -> String {
    id.to_string()
}

async fn events() -> Response {
    let events = chunks(&["data: one\n\n", "data: two\n\n"], stream::empty());
    ([(CONTENT_TYPE, "text/event-stream")], events).into_response()
}

async fn trailers() -> Response {
    let mut trailers = HeaderMap::new();
    trailers.insert("x-checksum", HeaderValue::from_static("1"));
    let frames = [Ok::<_, Infallible>(Frame::data(Bytes::from_static(b"one"))), Ok(Frame::trailers(trailers))];
    ([(TRAILER, "x-checksum")], Body::new(StreamBody::new(stream::iter(frames)))).into_response()
}

async fn upgrade() -> Response {
    tag();
    (StatusCode::SWITCHING_PROTOCOLS, [(UPGRADE, "chess")]).into_response()
}

async fn renamed() -> &'static str {
    rename();
    "renamed"
}

async fn described() -> &'static str {
    describe();
    "described"
}

async fn chain() -> opbeat_axum::Result<&'static str> {
    Err(CartError::new())?
}

async fn captured() -> opbeat_axum::Result<&'static str> {
    let error = CartError::new();
    opbeat_axum::capture_error(&error);
    Err(error)?
}

async fn tagged_forever() {
    tag();
    std::future::pending().await
}

async fn panicking() -> Response {
    tag();
    panic!("no books")
}

async fn endless() -> Response {
    let held = tag_on_drop();
    tagged(chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))).inspect(move |_| _ = &held)))
}

fn tagged(response: impl IntoResponse) -> Response {
    tag();
    response.into_response()
}

async fn tagging(request: Request<Body>) -> Request<Body> {
    tag();
    request
}

async fn turns(Path(id): Path<String>) -> String {
    interleave(&id).await;
    id
}

async fn spawned() -> opbeat_axum::Result<&'static str> {
    opbeat_axum::spawn(async { count_shelves() }).await?;
    Ok("spawned")
}

async fn second_chunk() -> Chunk {
    wait_for_reader().await;
    Ok(Bytes::from_static(b"two"))
}

/// Returns a body with a chunk and then an error.
fn broken() -> impl stream::Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl stream::Stream<Item = Chunk> + Send + 'static) -> Response {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    Body::from_stream(first.chain(rest)).into_response()
}

/// A value that cannot be serialized. `Json` of axum responds with 500 to it.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no title"))
    }
}

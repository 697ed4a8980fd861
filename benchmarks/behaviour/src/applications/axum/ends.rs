//! Requests that fail, end early, or set user, tags and spans.

use std::convert::Infallible;
use std::future::Ready;

use axum::body::{Body, Bytes};
use axum::error_handling::HandleErrorLayer;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use futures_util::future::BoxFuture;
use futures_util::stream;
use tower::layer::util::{Identity, Stack};
use tower::timeout::error::Elapsed;
use tower::{ServiceBuilder, service_fn};

use super::{Answer, BoxError, Chunk, Setup, chunks};
use crate::applications::LIMIT;
use crate::cart::CartError;
use crate::peer_api::PeerApi;

pub(super) fn router(setup: Setup) -> Router {
    let api = setup.api;
    let panics_in_call = service_fn(|_: Request<Body>| -> Ready<Result<Response, Infallible>> { panic!("no shelf") });
    let limits = || limits(setup.answer);
    Router::new()
        .route("/failing", get(async || (StatusCode::SERVICE_UNAVAILABLE, "closed")))
        .route("/error", get(async || Json(Unwritable)))
        .route("/timeout", get(move || tagged_forever(api)).layer(limits().timeout(LIMIT)))
        .route("/shed", get(async || "shed").layer(limits().load_shed().concurrency_limit(0)))
        .route("/broken-body", get(async || Body::from_stream(broken())))
        .route("/panicking", get(move || panicking(api)))
        .route_service("/panicking-call", panics_in_call)
        .route("/panicking-body", get(async || chunks(&["one"], stream::once(no_pages()))))
        .merge((setup.failures)(api))
        .merge(described(api))
}

fn described(api: PeerApi) -> Router {
    let endless = move || async move {
        api.tag();
        chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))
    };
    let described = move || async move {
        api.tag();
        (api.describe)();
        "described"
    };
    let spawned = move || async move { (api.count_shelves)().await.map_or("failed", |()| "spawned") };
    Router::new()
        .route("/endless", get(endless))
        .route("/waiting", get(move || api.wait_forever()))
        .route("/described", get(described))
        .route("/spawned", get(spawned))
}

/// Creates the routes that fail with an error, for a layer that does not collect errors.
pub fn failures(api: PeerApi) -> Router {
    let captured = move || async move {
        let error = CartError::new();
        (api.capture)(&error);
        error
    };
    Router::new().route("/chain", get(async || CartError::new())).route("/captured", get(captured))
}

/// The outermost layer of a route's limits, which responds to their errors.
pub(super) fn limits(answer: Answer) -> ServiceBuilder<Stack<HandleErrorLayer<Answer, ()>, Identity>> {
    ServiceBuilder::new().layer(HandleErrorLayer::new(answer))
}

/// Responds to errors of limits, as in axum's documentation.
pub fn answer(error: BoxError) -> BoxFuture<'static, (StatusCode, &'static str)> {
    let status = if error.is::<Elapsed>() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::SERVICE_UNAVAILABLE };
    Box::pin(async move { (status, "") })
}

pub(super) async fn tagged_forever(api: PeerApi) {
    api.tag();
    std::future::pending().await
}

async fn panicking(api: PeerApi) -> Response {
    api.tag();
    panic!("no books")
}

/// A body of one chunk and an error.
fn broken() -> impl stream::Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

/// Axum's own `Json` responds with 500 if a value cannot be serialised.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no title"))
    }
}

//! Requests that fail, end early, or tell more of themselves.

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

use super::{Answer, BoxError, Chunk, Ways, chunks};
use crate::applications::LIMIT;
use crate::cart::CartError;
use crate::words::Words;

pub(super) fn router(ways: Ways) -> Router {
    let words = ways.words;
    let panics_in_call = service_fn(|_: Request<Body>| -> Ready<Result<Response, Infallible>> { panic!("no shelf") });
    let limits = || limits(ways.answer);
    Router::new()
        .route("/failing", get(async || (StatusCode::SERVICE_UNAVAILABLE, "closed")))
        .route("/error", get(async || Json(Unwritable)))
        .route("/timeout", get(move || tagged_forever(words)).layer(limits().timeout(LIMIT)))
        .route("/shed", get(async || "shed").layer(limits().load_shed().concurrency_limit(0)))
        .route("/broken-body", get(async || Body::from_stream(broken())))
        .route("/panicking", get(move || panicking(words)))
        .route_service("/panicking-call", panics_in_call)
        .route("/panicking-body", get(async || chunks(&["one"], stream::once(no_pages()))))
        .merge((ways.failures)(words))
        .merge(described(words))
}

fn described(words: Words) -> Router {
    let endless = move || async move {
        words.tag();
        chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))
    };
    let described = move || async move {
        words.tag();
        (words.describe)();
        "described"
    };
    let spawned = move || async move { (words.count_shelves)().await.map_or("failed", |()| "spawned") };
    Router::new()
        .route("/endless", get(endless))
        .route("/waiting", get(move || words.wait_forever()))
        .route("/described", get(described))
        .route("/spawned", get(spawned))
}

/// Makes the routes that fail with an error, as one writes them when nothing is there to take errors.
pub fn failures(words: Words) -> Router {
    let captured = move || async move {
        let error = CartError::new();
        (words.capture)(&error);
        error
    };
    Router::new().route("/chain", get(async || CartError::new())).route("/captured", get(captured))
}

/// What is outermost of a route's limits: the answer to what they fail with.
pub(super) fn limits(answer: Answer) -> ServiceBuilder<Stack<HandleErrorLayer<Answer, ()>, Identity>> {
    ServiceBuilder::new().layer(HandleErrorLayer::new(answer))
}

/// Answers what limits fail with, as axum's documentation does.
pub fn answer(error: BoxError) -> BoxFuture<'static, (StatusCode, &'static str)> {
    let status = if error.is::<Elapsed>() { StatusCode::GATEWAY_TIMEOUT } else { StatusCode::SERVICE_UNAVAILABLE };
    Box::pin(async move { (status, "") })
}

pub(super) async fn tagged_forever(words: Words) {
    words.tag();
    std::future::pending().await
}

async fn panicking(words: Words) -> Response {
    words.tag();
    panic!("no books")
}

/// A chunk, and then an error.
fn broken() -> impl stream::Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

/// Axum's own `Json` answers 500 when a value refuses to be written.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no title"))
    }
}

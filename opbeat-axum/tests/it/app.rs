//! The application that the behaviour table asks for, as one writes it with axum.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{StreamExt, stream};
use opbeat_core::testing::behaviour::{describe, wait_forever};

pub(crate) fn router() -> Router {
    let cart = Router::new().route("/cart/{id}", get(echo_id));
    Router::new()
        .route("/books/{id}", get(echo_id).delete(async || StatusCode::NO_CONTENT))
        .route("/books", post(async || (StatusCode::UNPROCESSABLE_ENTITY, "no title")))
        .route("/streamed", get(async || chunks(&["one", "two", "three"], stream::empty())))
        .route("/empty", get(async || StatusCode::OK))
        .route("/cached", get(async || StatusCode::NOT_MODIFIED))
        .route("/failing", get(async || (StatusCode::SERVICE_UNAVAILABLE, "closed")))
        .route("/error", get(async || Json(Unwritable)))
        .route("/panicking", get(panicking))
        .route("/panicking-body", get(async || chunks(&["one"], stream::once(no_pages()))))
        .route("/endless", get(async || chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))))
        .route("/waiting", get(wait_forever))
        .route("/described", get(described))
        .nest("/shop", cart)
}

async fn echo_id(Path(id): Path<u32>) -> String {
    id.to_string()
}

async fn described() -> &'static str {
    describe();
    "described"
}

async fn panicking() -> Response {
    panic!("no books")
}

async fn no_pages() -> Result<Bytes, Infallible> {
    panic!("no pages")
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl stream::Stream<Item = Chunk> + Send + 'static) -> Response {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    Body::from_stream(first.chain(rest)).into_response()
}

/// Axum's own `Json` answers 500 when a value refuses to be written.
struct Unwritable;

impl serde::Serialize for Unwritable {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it has no title"))
    }
}

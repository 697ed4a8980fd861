//! Responses that are sent completely.

use std::convert::Infallible;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, TRAILER, UPGRADE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http_body::Frame;
use http_body_util::StreamBody;

use opbeat_testing::behaviour::large_body;

use super::{Chunk, chunks, echo_id};
use crate::applications;
use crate::peer_api::PeerApi;

pub(super) fn router(api: PeerApi) -> Router {
    Router::new()
        .route("/books/{id}", get(echo_id).delete(async || StatusCode::NO_CONTENT))
        .route("/books", post(async || (StatusCode::UNPROCESSABLE_ENTITY, "no title")))
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
        .route("/upgrade", get(move || upgrade(api)))
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

async fn upgrade(api: PeerApi) -> Response {
    api.tag();
    (StatusCode::SWITCHING_PROTOCOLS, [(UPGRADE, "chess")]).into_response()
}

async fn second_chunk() -> Chunk {
    applications::second_chunk().await;
    Ok(Bytes::from_static(b"two"))
}

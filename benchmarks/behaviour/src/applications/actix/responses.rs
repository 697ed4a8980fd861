//! Responses that are sent completely.

use std::convert::Infallible;

use actix_web::http::header::{CONTENT_TYPE, UPGRADE};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::{StreamExt, stream};

use opbeat_testing::behaviour::large_body;

use super::{Chunk, chunks, echo_id};
use crate::applications;
use crate::peer_api::PeerApi;

pub(super) fn routes(config: &mut web::ServiceConfig, api: PeerApi) {
    let books = web::resource("/books/{id}")
        .route(web::get().to(echo_id))
        .route(web::head().to(async || HttpResponse::Ok()))
        .route(web::delete().to(async || HttpResponse::NoContent()));
    config
        .service(books)
        .route("/books", web::post().to(async || HttpResponse::UnprocessableEntity().body("no title")))
        .route("/echo", web::post().to(async |body: String| body))
        .route("/streamed", web::get().to(async || chunks(&["one", "two", "three"], stream::empty())))
        .route("/sized", web::get().to(sized))
        .route("/short-body", web::get().to(short_body))
        .route("/large", web::get().to(async || large_body()))
        .route("/gated", web::get().to(async || chunks(&["one"], stream::once(second_chunk()))))
        .route("/events", web::get().to(events))
        .route("/empty", web::get().to(async || HttpResponse::Ok()))
        .route("/cached", web::get().to(async || HttpResponse::NotModified()))
        .route("/upgrade", web::get().to(move || upgrade(api)));
}

async fn events() -> HttpResponse {
    let stream = stream::iter(["data: one\n\n", "data: two\n\n"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/event-stream")).streaming(stream)
}

async fn sized() -> HttpResponse {
    let chunks = stream::iter(["one", "two"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().no_chunking(6).streaming(chunks)
}

async fn short_body() -> HttpResponse {
    let chunks = stream::iter(["one"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().no_chunking(10).streaming(chunks)
}

async fn upgrade(api: PeerApi) -> HttpResponse {
    api.tag();
    HttpResponse::SwitchingProtocols().insert_header((UPGRADE, "chess")).finish()
}

async fn second_chunk() -> Chunk {
    applications::second_chunk().await;
    Ok(Bytes::from_static(b"two"))
}

//! Requests that fail, end early, or set user, tags and spans.

use std::future::{Ready, pending};
use std::io;

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorGatewayTimeout, ErrorServiceUnavailable};
use actix_web::middleware::Next;
use actix_web::{HttpResponse, Route, rt, web};
use bytes::Bytes;
use futures_util::stream;

use super::{Chunk, chunks};
use crate::applications::LIMIT;
use crate::cart::CartError;
use crate::peer_api::PeerApi;

pub(super) fn routes(config: &mut web::ServiceConfig, api: PeerApi) {
    config
        .route("/failing", web::get().to(async || HttpResponse::ServiceUnavailable().body("closed")))
        .route("/error", web::get().to(failing))
        .route("/timeout", web::get().to(move || timeout(api)))
        .route("/shed", web::get().to(move || shed(api)))
        .route("/broken-body", web::get().to(async || HttpResponse::Ok().streaming(broken())))
        .route("/panicking", web::get().to(move || panicking(api)))
        .route("/panicking-call", web::get().to(panicking_call))
        .route("/panicking-body", web::get().to(async || chunks(&["one"], stream::once(no_pages()))))
        .route("/endless", web::get().to(move || endless(api)))
        .route("/waiting", web::get().to(move || waiting(api)))
        .route("/described", web::get().to(move || described(api)))
        .route("/spawned", web::get().to(move || spawned(api)));
}

/// Creates the routes that fail with an error, for a layer that does not collect errors.
pub fn failures(config: &mut web::ServiceConfig, api: PeerApi) {
    let captured = move || async move {
        let error = CartError::new();
        (api.capture)(&error);
        Err::<&str, _>(error)
    };
    config
        .route("/chain", web::get().to(async || Err::<&str, _>(CartError::new())))
        .route("/captured", web::get().to(captured));
}

pub fn late(api: PeerApi) -> Route {
    web::get().to(move || tagged_forever(api))
}

/// Drops requests after a timeout.
pub async fn time_limit<B>(request: ServiceRequest, next: Next<B>) -> actix_web::Result<ServiceResponse<B>> {
    rt::time::timeout(LIMIT, next.call(request)).await.map_err(ErrorGatewayTimeout)?
}

/// Rejects all requests.
pub async fn shed_all<B>(_: ServiceRequest, _: Next<B>) -> actix_web::Result<ServiceResponse<B>> {
    Err(ErrorServiceUnavailable("full"))
}

async fn failing() -> io::Result<HttpResponse> {
    Err(io::Error::other("the shelf is broken"))
}

async fn tagged_forever(api: PeerApi) -> &'static str {
    api.tag();
    pending().await
}

async fn timeout(api: PeerApi) -> actix_web::Result<&'static str> {
    rt::time::timeout(LIMIT, tagged_forever(api)).await.map_err(ErrorGatewayTimeout)
}

async fn shed(api: PeerApi) -> HttpResponse {
    (api.shed)();
    HttpResponse::ServiceUnavailable().finish()
}

async fn panicking(api: PeerApi) -> HttpResponse {
    api.tag();
    panic!("no books")
}

fn panicking_call() -> Ready<HttpResponse> {
    panic!("no shelf")
}

async fn endless(api: PeerApi) -> HttpResponse {
    api.tag();
    chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))
}

async fn waiting(api: PeerApi) -> HttpResponse {
    api.wait_forever().await;
    HttpResponse::Ok().finish()
}

async fn described(api: PeerApi) -> &'static str {
    api.tag();
    (api.describe)();
    "described"
}

async fn spawned(api: PeerApi) -> &'static str {
    (api.count_shelves)().await.map_or("failed", |()| "spawned")
}

/// A body of one chunk and an error.
fn broken() -> impl stream::Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

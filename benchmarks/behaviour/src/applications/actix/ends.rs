//! Requests that fail, end early, or tell more of themselves.

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
use crate::words::Words;

pub(super) fn routes(config: &mut web::ServiceConfig, words: Words) {
    config
        .route("/failing", web::get().to(async || HttpResponse::ServiceUnavailable().body("closed")))
        .route("/error", web::get().to(failing))
        .route("/timeout", web::get().to(move || timeout(words)))
        .route("/shed", web::get().to(move || shed(words)))
        .route("/broken-body", web::get().to(async || HttpResponse::Ok().streaming(broken())))
        .route("/panicking", web::get().to(move || panicking(words)))
        .route("/panicking-call", web::get().to(panicking_call))
        .route("/panicking-body", web::get().to(async || chunks(&["one"], stream::once(no_pages()))))
        .route("/endless", web::get().to(move || endless(words)))
        .route("/waiting", web::get().to(move || waiting(words)))
        .route("/described", web::get().to(move || described(words)))
        .route("/spawned", web::get().to(move || spawned(words)));
}

/// Makes the routes that fail with an error, as one writes them when nothing is there to take errors.
pub fn failures(config: &mut web::ServiceConfig, words: Words) {
    let captured = move || async move {
        let error = CartError::new();
        (words.capture)(&error);
        Err::<&str, _>(error)
    };
    config
        .route("/chain", web::get().to(async || Err::<&str, _>(CartError::new())))
        .route("/captured", web::get().to(captured));
}

pub fn late(words: Words) -> Route {
    web::get().to(move || tagged_forever(words))
}

/// Drops requests after some time.
pub async fn time_limit<B>(request: ServiceRequest, next: Next<B>) -> actix_web::Result<ServiceResponse<B>> {
    rt::time::timeout(LIMIT, next.call(request)).await.map_err(ErrorGatewayTimeout)?
}

/// Lets nobody through.
pub async fn shed_all<B>(_: ServiceRequest, _: Next<B>) -> actix_web::Result<ServiceResponse<B>> {
    Err(ErrorServiceUnavailable("full"))
}

async fn failing() -> io::Result<HttpResponse> {
    Err(io::Error::other("the shelf is broken"))
}

async fn tagged_forever(words: Words) -> &'static str {
    words.tag();
    pending().await
}

async fn timeout(words: Words) -> actix_web::Result<&'static str> {
    rt::time::timeout(LIMIT, tagged_forever(words)).await.map_err(ErrorGatewayTimeout)
}

async fn shed(words: Words) -> HttpResponse {
    (words.shed)();
    HttpResponse::ServiceUnavailable().finish()
}

async fn panicking(words: Words) -> HttpResponse {
    words.tag();
    panic!("no books")
}

fn panicking_call() -> Ready<HttpResponse> {
    panic!("no shelf")
}

async fn endless(words: Words) -> HttpResponse {
    words.tag();
    chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))
}

async fn waiting(words: Words) -> HttpResponse {
    words.wait_forever().await;
    HttpResponse::Ok().finish()
}

async fn described(words: Words) -> &'static str {
    words.tag();
    (words.describe)();
    "described"
}

async fn spawned(words: Words) -> &'static str {
    (words.count_shelves)().await.map_or("failed", |()| "spawned")
}

/// A chunk, and then an error.
fn broken() -> impl stream::Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

//! The application that the behaviour table asks for, as one writes it with actix.

use std::convert::Infallible;

use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use opbeat_core::testing::behaviour::{describe, wait_forever};

pub(crate) fn routes(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/books/{id}")
                .route(web::get().to(echo_id))
                .route(web::head().to(async || HttpResponse::Ok()))
                .route(web::delete().to(async || HttpResponse::NoContent())),
        )
        .route("/books", web::post().to(async || HttpResponse::UnprocessableEntity().body("no title")))
        .route("/streamed", web::get().to(async || chunks(&["one", "two", "three"], stream::empty())))
        .route("/empty", web::get().to(async || HttpResponse::Ok()))
        .route("/cached", web::get().to(async || HttpResponse::NotModified()))
        .route("/failing", web::get().to(async || HttpResponse::ServiceUnavailable().body("closed")))
        .route("/error", web::get().to(failing))
        .route("/panicking", web::get().to(panicking))
        .route("/panicking-body", web::get().to(async || chunks(&["one"], stream::once(no_pages()))))
        .route("/endless", web::get().to(async || chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))))))
        .route("/waiting", web::get().to(waiting))
        .route("/described", web::get().to(described))
        .service(web::scope("/shop").route("/cart/{id}", web::get().to(echo_id)));
}

async fn echo_id(id: web::Path<u32>) -> String {
    id.to_string()
}

async fn described() -> &'static str {
    describe();
    "described"
}

async fn failing() -> Result<HttpResponse, std::io::Error> {
    Err(std::io::Error::other("the shelf is broken"))
}

async fn panicking() -> HttpResponse {
    panic!("no books")
}

async fn waiting() -> HttpResponse {
    wait_forever().await;
    HttpResponse::Ok().finish()
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl Stream<Item = Chunk> + 'static) -> HttpResponse {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    HttpResponse::Ok().streaming(first.chain(rest))
}

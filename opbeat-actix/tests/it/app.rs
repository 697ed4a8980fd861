//! The application that the behaviour table needs, written with actix.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorGatewayTimeout, ErrorInternalServerError, ErrorServiceUnavailable};
use actix_web::http::header::{CONTENT_TYPE, UPGRADE};
use actix_web::middleware::{Next, from_fn};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use opbeat_actix::{Agent, Opbeat, Outcome};
use opbeat_testing::behaviour::{
    CartError, count_shelves, describe, interleave, large_body, rename, tag, tag_on_drop, wait_for_reader, wait_forever,
};

use crate::files::Files;

pub(crate) const LIMIT: Duration = Duration::from_millis(1);

pub(crate) fn routes(config: &mut web::ServiceConfig, agent: &Agent) {
    responses(config);
    names(config, agent);
    ends(config);
}

/// The routes of the application that has limits outside of Opbeat's middleware.
pub(crate) fn limited(config: &mut web::ServiceConfig) {
    config.route("/late", web::get().to(tagged_forever)).route("/full", web::get().to(shed));
}

/// A middleware outside of Opbeat's, with a time limit for one route and a load limit for the other.
pub(crate) async fn limit<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> actix_web::Result<ServiceResponse<B>> {
    if request.path() == "/full" {
        return Err(ErrorServiceUnavailable("full"));
    }
    actix_web::rt::time::timeout(LIMIT, next.call(request)).await.map_err(ErrorGatewayTimeout)?
}

fn responses(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/books/{id}")
                .route(web::get().to(echo_id))
                .route(web::head().to(async || HttpResponse::Ok()))
                .route(web::delete().to(async || HttpResponse::NoContent())),
        )
        .route("/books", web::post().to(async || tagged(HttpResponse::UnprocessableEntity().body("no title"))))
        .route("/echo", web::post().to(async |body: String| body))
        .route("/streamed", web::get().to(async || chunks(&["one", "two", "three"], stream::empty())))
        .route("/sized", web::get().to(sized))
        .route("/short-body", web::get().to(short_body))
        .route("/large", web::get().to(async || large_body()))
        .route("/gated", web::get().to(async || chunks(&["one"], stream::once(second_chunk()))))
        .route("/events", web::get().to(events))
        .route("/empty", web::get().to(async || HttpResponse::Ok()))
        .route("/cached", web::get().to(async || HttpResponse::NotModified()))
        .route("/upgrade", web::get().to(upgrade));
}

fn names(config: &mut web::ServiceConfig, agent: &Agent) {
    let twice = web::scope("/twice").wrap(Opbeat::new(agent)).route("", web::get().to(async || "twice"));
    let relayed = web::scope("/relayed")
        .wrap(Opbeat::new(agent))
        .wrap(from_fn(relay))
        .route("", web::get().to(async || tagged(HttpResponse::Ok().body("relayed"))));
    config
        .service(web::scope("/shop").route("/cart/{id}", web::get().to(echo_id)))
        .service(web::scope("/old").default_service(web::to(async || HttpResponse::Gone().body("gone"))))
        .service(Files("/files"))
        .service(twice)
        .service(relayed)
        .route("/renamed", web::get().to(renamed))
        .route("/healthz", web::get().to(async || "fine"));
}

fn ends(config: &mut web::ServiceConfig) {
    config
        .route("/failing", web::get().to(async || tagged(HttpResponse::ServiceUnavailable().body("closed"))))
        .route("/error", web::get().to(failing))
        .route("/chain", web::get().to(chain))
        .route("/captured", web::get().to(captured))
        .route("/timeout", web::get().to(timeout))
        .route("/shed", web::get().to(shed))
        .route("/broken-body", web::get().to(async || tagged(HttpResponse::Ok().streaming(broken()))))
        .route("/panicking", web::get().to(panicking))
        .route("/panicking-call", web::get().to(panicking_call))
        .route("/panicking-body", web::get().to(async || tagged(chunks(&["one"], stream::once(no_pages())))))
        .route("/endless", web::get().to(endless))
        .route("/waiting", web::get().to(waiting))
        .route("/described", web::get().to(described))
        .route("/spawned", web::get().to(spawned))
        .route("/turns/{id}", web::get().to(turns));
}

async fn echo_id(id: web::Path<u32>) -> String {
    id.to_string()
}

async fn events() -> HttpResponse {
    let stream = stream::iter(["data: one\n\n", "data: two\n\n"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().insert_header((CONTENT_TYPE, "text/event-stream")).streaming(stream)
}

async fn upgrade() -> HttpResponse {
    tag();
    HttpResponse::SwitchingProtocols().insert_header((UPGRADE, "chess")).finish()
}

async fn renamed() -> &'static str {
    rename();
    "renamed"
}

async fn described() -> &'static str {
    describe();
    "described"
}

async fn failing() -> Result<HttpResponse, std::io::Error> {
    Err(std::io::Error::other("the shelf is broken"))
}

async fn chain() -> opbeat_actix::Result<&'static str> {
    Err(CartError::new())?
}

async fn captured() -> opbeat_actix::Result<&'static str> {
    let error = CartError::new();
    opbeat_actix::capture_error(&error);
    Err(error)?
}

async fn tagged_forever() -> &'static str {
    tag();
    std::future::pending().await
}

async fn timeout() -> actix_web::Result<&'static str> {
    actix_web::rt::time::timeout(LIMIT, tagged_forever()).await.map_err(ErrorGatewayTimeout)
}

async fn shed() -> HttpResponse {
    tag();
    opbeat_actix::current().set_outcome(Outcome::Shed);
    HttpResponse::ServiceUnavailable().finish()
}

async fn panicking() -> HttpResponse {
    tag();
    panic!("no books")
}

fn panicking_call() -> std::future::Ready<HttpResponse> {
    panic!("no shelf")
}

async fn endless() -> HttpResponse {
    let held = tag_on_drop();
    tagged(chunks(&[], stream::repeat_with(|| Ok(Bytes::from_static(b"one"))).inspect(move |_| _ = &held)))
}

async fn waiting() -> HttpResponse {
    wait_forever().await;
    HttpResponse::Ok().finish()
}

fn tagged(response: HttpResponse) -> HttpResponse {
    tag();
    response
}

async fn sized() -> HttpResponse {
    let chunks = stream::iter(["one", "two"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().no_chunking(6).streaming(chunks)
}

async fn short_body() -> HttpResponse {
    let chunks = stream::iter(["one"]).map(|chunk| Ok::<_, Infallible>(Bytes::from(chunk)));
    HttpResponse::Ok().no_chunking(10).streaming(chunks)
}

/// Calls the rest of the application in another task.
async fn relay<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> actix_web::Result<ServiceResponse<B>> {
    actix_web::rt::spawn(async move { next.call(request).await }).await.map_err(ErrorInternalServerError)?
}

async fn turns(id: web::Path<String>) -> String {
    interleave(&id).await;
    id.into_inner()
}

async fn spawned() -> opbeat_actix::Result<&'static str> {
    opbeat_actix::spawn(async { count_shelves() }).await?;
    Ok("spawned")
}

async fn second_chunk() -> Chunk {
    wait_for_reader().await;
    Ok(Bytes::from_static(b"two"))
}

/// Returns a body of one chunk, followed by an error.
fn broken() -> impl Stream<Item = Result<Bytes, CartError>> {
    stream::iter([Ok(Bytes::from_static(b"one")), Err(CartError::new())])
}

async fn no_pages() -> Chunk {
    panic!("no pages")
}

type Chunk = Result<Bytes, Infallible>;

fn chunks(first: &'static [&'static str], rest: impl Stream<Item = Chunk> + 'static) -> HttpResponse {
    let first = stream::iter(first).map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())));
    HttpResponse::Ok().streaming(first.chain(rest))
}

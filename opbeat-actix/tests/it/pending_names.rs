//! The names of requests without a response, or before their response.

use std::future::{Ready, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, HttpResponse, web};
use futures_util::FutureExt;
use futures_util::future::poll_immediate;
use opbeat_actix::{Agent, Level, Opbeat};
use opbeat_core::export::Batch;
use opbeat_core::http::HttpTransaction;

use crate::files::Files;
use crate::monitored;

const PATIENCE: Duration = Duration::from_secs(30);

fn routes(config: &mut web::ServiceConfig) {
    let books = web::scope("/books")
        .route("/{id}", web::get().to(async || "a book"))
        .route(r"/{id:\d+}/panicking", web::get().to(panicking))
        .route("/{id}/panicking-call", web::get().to(panicking_call))
        .route("/{id}/waiting", web::get().to(waiting));
    let files = web::scope("/files/{shelf}").wrap(from_fn(wait)).service(Files("/covers"));
    config
        .service(books)
        .service(files)
        .route("/blobs/{tail:.*}", web::get().to(waiting))
        .service(web::resource("/rejected/{id}").wrap(from_fn(reject)).to(async || "never"));
}

async fn panicking() -> HttpResponse {
    panic!("no books")
}

fn panicking_call() -> Ready<HttpResponse> {
    panic!("no shelf")
}

async fn waiting() -> HttpResponse {
    opbeat_actix::capture_message(Level::Error, "the shelf is far away");
    pending().await
}

async fn reject(_: ServiceRequest, _: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    Err(std::io::Error::other("the queue is closed").into())
}

async fn wait(_: ServiceRequest, _: Next<BoxBody>) -> actix_web::Result<ServiceResponse> {
    waiting().await;
    pending().await
}

/// Polls a request once and then drops it. Returns the recorded data.
async fn poll_once(opbeat: fn(&Agent) -> Opbeat, path: &str) -> Batch {
    let (agent, exporter) = monitored();
    let app = init_service(App::new().wrap(opbeat(&agent)).configure(routes)).await;
    let request = TestRequest::get().uri(path).to_request();
    let _ = catch_unwind(AssertUnwindSafe(|| app.call(request).now_or_never().is_some()));
    agent.flush(PATIENCE).unwrap();
    exporter.take()
}

/// Polls a request once and then drops it. Returns the name and the result of its transaction, and the name in its
/// error.
async fn name_result_and_error(opbeat: fn(&Agent) -> Opbeat, path: &str) -> [String; 3] {
    let recorded = poll_once(opbeat, path).await;
    assert_eq!((recorded.durations.len(), recorded.errors.len()), (1, 1), "{recorded:#?}");
    let (counted, error) = (&recorded.durations[0], &recorded.errors[0]);
    [counted.name.clone(), counted.result.to_string(), error.transaction.as_ref().unwrap().name.clone()]
}

#[actix_web::test]
async fn a_panic_in_a_poll_or_in_the_call_keeps_the_name() {
    let cases = [
        ("/books/1/panicking?page=2", "GET /books/{id}/panicking"),
        ("/books/1/panicking-call?page=2", "GET /books/{id}/panicking-call"),
    ];
    for (path, name) in cases {
        assert_eq!(
            name_result_and_error(Opbeat::new, path).await,
            [name, "panicked", name],
            "a panic that is not caught"
        );
        assert_eq!(
            name_result_and_error(|agent| Opbeat::new(agent).catch_panics(true), path).await,
            [name, "panicked", name]
        );
    }
}

#[actix_web::test]
async fn a_disconnect_before_the_response_head_keeps_the_name() {
    let name = "GET /books/{id}/waiting";
    assert_eq!(name_result_and_error(Opbeat::new, "/books/1/waiting?page=2").await, [name, "client_gone", name]);
}

#[actix_web::test]
async fn a_disconnect_below_a_prefix_keeps_the_name() {
    for (path, name) in [
        ("/files/7/covers/large/1.svg", "GET /files/{shelf}/covers/*"),
        ("/files/7/covers/?page=2", "GET /files/{shelf}/covers/*"),
        ("/files/7/covers", "GET /files/{shelf}/covers"),
        ("/blobs/1/2/3", "GET /blobs/*"),
    ] {
        assert_eq!(name_result_and_error(Opbeat::new, path).await, [name, "client_gone", name], "{path}");
    }
}

#[actix_web::test]
async fn a_request_that_is_never_polled_keeps_the_name() {
    let (agent, exporter) = monitored();
    let app = init_service(App::new().wrap(Opbeat::new(&agent)).configure(routes)).await;
    drop(app.call(TestRequest::get().uri("/books/1").to_request()));
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("GET /books/{id}"), 1);
}

#[actix_web::test]
async fn an_error_of_a_middleware_keeps_the_name() {
    let name = "GET /rejected/{id}";
    assert_eq!(name_result_and_error(Opbeat::new, "/rejected/1?page=2").await, [name, "500", name]);
}

#[actix_web::test]
async fn an_error_of_a_waiting_handler_contains_the_name() {
    let (agent, exporter) = monitored();
    let app = init_service(App::new().wrap(Opbeat::new(&agent)).configure(routes)).await;
    let mut request = pin!(app.call(TestRequest::get().uri("/books/1/waiting").to_request()));
    assert!(poll_immediate(&mut request).await.is_none());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors()[0].transaction.as_ref().unwrap().name, "GET /books/{id}/waiting");
}

#[actix_web::test]
async fn a_wrapped_scope_is_named_with_the_whole_pattern() {
    let (agent, exporter) = monitored();
    let scope = web::scope("/api/{version}").wrap(Opbeat::new(&agent)).configure(routes);
    let app = init_service(App::new().service(scope)).await;
    for path in ["/api/2/books/1", "/api/2/books/1/waiting"] {
        let _ = app.call(TestRequest::get().uri(path).to_request()).now_or_never();
    }
    agent.flush(PATIENCE).unwrap();
    let count = |name| exporter.count(name);
    assert_eq!([count("GET /api/{version}/books/{id}"), count("GET /api/{version}/books/{id}/waiting")], [1, 1]);
}

#[actix_web::test]
async fn an_outer_layer_without_a_route_gets_the_name() {
    let (agent, exporter) = monitored();
    let app = init_service(App::new().wrap(Opbeat::new(&agent)).configure(routes)).await;
    for path in ["/books/1", "/books/1/waiting", "/books/1/panicking"] {
        let mut outer = HttpTransaction::begin(&agent, "web.outer", "GET", |request| request.set_line("GET", path));
        {
            let _entered = outer.enter();
            let request = TestRequest::get().uri(path).to_request();
            let _ = catch_unwind(AssertUnwindSafe(|| app.call(request).now_or_never().is_some()));
        }
        outer.start_response(200);
        outer.complete();
    }
    agent.flush(PATIENCE).unwrap();
    let names = ["GET /books/{id}", "GET /books/{id}/waiting", "GET /books/{id}/panicking"];
    assert_eq!(names.map(|name| exporter.count(name)), [1; 3]);
}

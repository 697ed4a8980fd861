use std::fmt;
use std::time::Duration;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::{ErrorInternalServerError, InternalError};
use actix_web::http::StatusCode;
use actix_web::middleware::{Next, from_fn};
use actix_web::{App, HttpResponse, ResponseError, test, web};
use opbeat_actix::service::OpbeatBody;
use opbeat_actix::{CapturedError, Opbeat};
use opbeat_core::export::Batch;
use opbeat_core::record::{ErrorRecord, Outcome};
use opbeat_testing::behaviour::CartError;

use crate::monitored;

type Make = fn() -> actix_web::Error;

/// Sends a request to a handler that returns an error. Returns the response's status, the error id in its header, and
/// the recorded data.
async fn fail(error: Make, adjust: fn(Opbeat) -> Opbeat) -> (StatusCode, Option<String>, Batch) {
    let handler = web::to(move || async move { Err::<String, _>(error()) });
    respond(handler, adjust).await
}

async fn respond(handler: actix_web::Route, adjust: fn(Opbeat) -> Opbeat) -> (StatusCode, Option<String>, Batch) {
    let (agent, exporter) = monitored();
    let app = App::new().wrap(adjust(Opbeat::new(&agent))).route("/", handler);
    let app = test::init_service(app).await;
    let request = test::TestRequest::post().uri("/").set_payload("title=Emma&password=hunter2").to_request();
    let (status, id) = match test::try_call_service(&app, request).await {
        Ok(response) => {
            let id = response.headers().get("x-opbeat-id").map(|id| id.to_str().unwrap().to_owned());
            let status = response.status();
            test::read_body(response).await;
            (status, id)
        }
        Err(error) => {
            let response = error.error_response();
            let id = response.headers().get("x-opbeat-id").map(|id| id.to_str().unwrap().to_owned());
            (response.status(), id)
        }
    };
    agent.flush(Duration::from_secs(30)).unwrap();
    (status, id, exporter.take())
}

fn only(recorded: &Batch) -> &ErrorRecord {
    assert_eq!(recorded.errors.len(), 1, "{:#?}", recorded.errors);
    &recorded.errors[0]
}

fn messages(error: &ErrorRecord) -> (String, Vec<&str>) {
    (error.message.clone(), error.causes.iter().map(|cause| cause.message.as_str()).collect())
}

/// An error type of the application.
#[derive(Debug)]
struct ShopError(CartError);

impl fmt::Display for ShopError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("checkout failed")
    }
}

impl std::error::Error for ShopError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl ResponseError for ShopError {}

#[actix_web::test]
async fn registered_types_keep_their_chain() {
    let (_, _, recorded) = fail(|| ShopError(CartError::new()).into(), |opbeat| opbeat.downcast::<ShopError>()).await;
    let error = only(&recorded);
    assert_eq!(error.type_name.as_deref(), Some("ShopError"));
    assert_eq!(messages(error), ("checkout failed".to_owned(), vec!["there is no cart", "the shelf is broken"]));
}

#[actix_web::test]
async fn unregistered_types_keep_their_name_and_message() {
    let (_, _, recorded) = fail(|| ShopError(CartError::new()).into(), |opbeat| opbeat).await;
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("ShopError"), "checkout failed"));
}

#[actix_web::test]
async fn boxed_errors_anyhow_and_eyre_keep_their_chain() {
    let boxed: Make = || (Box::new(CartError::new()) as Box<dyn std::error::Error>).into();
    let anyhow: Make = || ErrorInternalServerError(anyhow::Error::new(ShopError(CartError::new())).context("no order"));
    let eyre: Make = || {
        let report = eyre::Report::new(CartError::new()).wrap_err("no order");
        InternalError::new(report, StatusCode::INTERNAL_SERVER_ERROR).into()
    };
    let (_, _, recorded) = fail(boxed, |opbeat| opbeat).await;
    assert_eq!(messages(only(&recorded)), ("there is no cart".to_owned(), vec!["the shelf is broken"]));
    let (_, _, recorded) = fail(anyhow, |opbeat| opbeat).await;
    let causes = vec!["checkout failed", "there is no cart", "the shelf is broken"];
    assert_eq!(messages(only(&recorded)), ("no order".to_owned(), causes));
    let (_, _, recorded) = fail(eyre, |opbeat| opbeat).await;
    assert_eq!(messages(only(&recorded)), ("no order".to_owned(), vec!["there is no cart", "the shelf is broken"]));
}

#[actix_web::test]
async fn opbeat_errors_have_the_location_of_the_question_mark() {
    async fn checkout() -> opbeat_actix::Result<&'static str> {
        Err(CartError::new())?
    }
    let (status, id, recorded) = respond(web::to(checkout), |opbeat| opbeat.error_id_header(true)).await;
    let error = only(&recorded);
    assert_eq!(status.as_u16(), 500);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("CartError"), "there is no cart"));
    assert!(error.location.as_ref().unwrap().file.ends_with("errors.rs"));
    assert_eq!(id, Some(error.id.to_string()));
}

#[actix_web::test]
async fn errors_of_middlewares_are_reported() {
    let (agent, exporter) = monitored();
    let reject = actix_web::middleware::from_fn(async |_, _: actix_web::middleware::Next<actix_web::body::BoxBody>| {
        Err::<actix_web::dev::ServiceResponse, _>(std::io::Error::other("the queue is closed").into())
    });
    let opbeat = Opbeat::new(&agent).error_id_header(true);
    let app = App::new().wrap(reject).wrap(opbeat).route("/", web::to(async || "never"));
    let app = test::init_service(app).await;
    let failed = test::try_call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
    let response = failed.unwrap_err().error_response();
    agent.flush(Duration::from_secs(30)).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!((error.message.as_str(), error.location), ("the queue is closed", None));
    assert_eq!(response.headers().get("x-opbeat-id").unwrap().to_str().unwrap(), error.id.to_string());
}

#[actix_web::test]
async fn a_caught_panic_becomes_a_500_response() {
    async fn panics() -> HttpResponse {
        panic!("no books")
    }
    let (status, id, recorded) =
        respond(web::to(panics), |opbeat| opbeat.catch_panics(true).error_id_header(true)).await;
    assert_eq!(status.as_u16(), 500);
    assert_eq!(id, Some(only(&recorded).id.to_string()));
    assert_eq!(only(&recorded).message, "no books");
    let sample = &recorded.samples[0];
    assert_eq!((sample.outcome, sample.result.to_string().as_str()), (Outcome::Panicked, "panicked"));
}

#[actix_web::test]
async fn reports_contain_the_request_body() {
    let read = web::to(async |_: String| HttpResponse::InternalServerError());
    let (_, _, recorded) = respond(read, |opbeat| opbeat.request_bodies(100)).await;
    assert_eq!(only(&recorded).request.as_ref().unwrap().body(), Some("title=Emma&password=[REDACTED]"));
}

/// A wrapper of `anyhow::Error`, as many applications have one.
#[derive(Debug)]
struct Wrapped(anyhow::Error);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl ResponseError for Wrapped {}

#[actix_web::test]
async fn a_wrapper_of_anyhow_keeps_the_causes_that_it_prints() {
    let wrapped: Make = || Wrapped(anyhow::Error::new(CartError::new()).context("no order")).into();
    let (_, _, recorded) = fail(wrapped, |opbeat| opbeat).await;
    let causes = vec!["there is no cart", "the shelf is broken"];
    assert_eq!(messages(only(&recorded)), ("no order".to_owned(), causes));
}

/// A wrapper that prints the message only, however it is printed.
#[derive(Debug)]
struct Short(anyhow::Error);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_string())
    }
}

impl ResponseError for Short {}

const CHILD: &str = "OPBEAT_TEST_BACKTRACES";

/// Returns how often this program's file is in its memory, on Linux. To symbolise, the standard library maps the file
/// once more.
fn mapped_parts() -> usize {
    let program = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter(|line| line.ends_with(program.to_str().unwrap())).count()
}

/// `RUST_BACKTRACE` belongs to the process, so this test runs again in one of its own.
#[actix_web::test]
async fn anyhow_and_eyre_keep_their_causes_without_a_backtrace() {
    const NAME: &str = "errors::anyhow_and_eyre_keep_their_causes_without_a_backtrace";
    if std::env::var_os(CHILD).is_none() {
        for value in ["0", "1"] {
            let mut child = std::process::Command::new(std::env::current_exe().unwrap());
            child.args([NAME, "--exact", "--nocapture"]).env(CHILD, "1").env("RUST_BACKTRACE", value);
            let output = child.output().unwrap();
            assert!(output.status.success(), "{value}: {}", String::from_utf8_lossy(&output.stderr));
        }
        return;
    }
    let one: Make = || ErrorInternalServerError(anyhow::anyhow!("12: bad (os error 5)").context("no order"));
    let two: Make = || Wrapped(anyhow::anyhow!("1").context("no\n\nbooks").context("no order")).into();
    let hidden: Make = || Short(anyhow::anyhow!("the shelf\nis broken").context("no cart").context("no order")).into();
    let eyre: Make = || {
        let report = eyre::eyre!("the shelf is broken").wrap_err("no cart").wrap_err("no order");
        InternalError::new(report, StatusCode::INTERNAL_SERVER_ERROR).into()
    };
    let cases: [(Make, &str, &[&str]); 4] = [
        (one, "Error", &["12: bad (os error 5)"]),
        (two, "Wrapped", &["no\n\nbooks", "1"]),
        (hidden, "Short", &["no cart", "the shelf\nis broken"]),
        (eyre, "Error", &["no cart", "the shelf is broken"]),
    ];
    let before = mapped_parts();
    for (make, type_name, causes) in cases {
        let (_, _, recorded) = fail(make, |opbeat| opbeat).await;
        let error = only(&recorded);
        assert_eq!(error.type_name.as_deref(), Some(type_name));
        assert_eq!(messages(error), ("no order".to_owned(), causes.to_vec()));
        assert_eq!(mapped_parts(), before, "a backtrace was symbolised: {type_name}");
    }
    drop(std::backtrace::Backtrace::force_capture().to_string());
    assert!(mapped_parts() > before || !cfg!(target_os = "linux"), "the test can fail");
}

#[actix_web::test]
async fn any_5xx_status_reports_the_error_and_sends_its_id() {
    async fn failing_with(status: u16) -> opbeat_actix::Result<&'static str> {
        Err(opbeat_actix::Error::from(CartError::new()).with_status(StatusCode::from_u16(status).unwrap()))
    }
    async fn fine() -> &'static str {
        opbeat_actix::capture_error(&CartError::new());
        "fine"
    }
    let with_id: fn(Opbeat) -> Opbeat = |opbeat| opbeat.error_id_header(true);
    let (_, id, recorded) = respond(web::to(|| failing_with(504)), with_id).await;
    assert_eq!(id, Some(only(&recorded).id.to_string()));
    let (_, id, recorded) = respond(web::to(|| failing_with(408)), with_id).await;
    assert_eq!((id, recorded.errors.len()), (None, 0));
    let (_, id, recorded) = respond(web::to(fine), with_id).await;
    assert_eq!((id, recorded.errors.len()), (None, 1), "a response below 5xx contains no error id");
}

/// An error that has its status in `error_response` only, as in actix's own examples.
#[derive(Debug)]
struct Forbidden;

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("forbidden")
    }
}

impl ResponseError for Forbidden {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::Forbidden().body("no entry")
    }
}

/// An error whose status differs from that of its response.
#[derive(Debug)]
struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the database is away")
    }
}

impl ResponseError for Broken {
    fn status_code(&self) -> StatusCode {
        StatusCode::BAD_REQUEST
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::InternalServerError().body("later")
    }
}

/// Returns an error that gives its response away once, as the documentation of `JsonConfig` shows it.
fn conflict() -> actix_web::Error {
    InternalError::from_response(CartError::new(), HttpResponse::Conflict().body("conflict")).into()
}

fn unavailable() -> actix_web::Error {
    InternalError::from_response(CartError::new(), HttpResponse::ServiceUnavailable().body("closed")).into()
}

/// Returns the status and the body of the response, whether it has an error id, the result, and the error messages.
type Answered = (u16, String, bool, String, Vec<String>);

/// Sends a request to an application that answers it with an error: of its handler, or of a middleware.
async fn answer_with(error: Make, in_middleware: bool) -> Answered {
    let (agent, exporter) = monitored();
    let middleware = from_fn(move |request: ServiceRequest, next: Next<BoxBody>| async move {
        if in_middleware { Err(error()) } else { next.call(request).await }
    });
    let handler = web::to(move || async move { Err::<String, _>(error()) });
    let opbeat = Opbeat::new(&agent).error_id_header(true);
    let app = test::init_service(App::new().wrap(middleware).wrap(opbeat).route("/", handler)).await;
    // Actix makes the response from an error in this way.
    let response = match test::try_call_service(&app, test::TestRequest::get().uri("/").to_request()).await {
        Ok(response) => response.map_into_boxed_body().into_parts().1,
        Err(error) => HttpResponse::from_error(error),
    };
    let (status, has_id) = (response.status().as_u16(), response.headers().contains_key("x-opbeat-id"));
    let body = to_bytes(response.into_body()).await.unwrap();
    agent.flush(Duration::from_secs(30)).unwrap();
    let recorded = exporter.take();
    assert_eq!((recorded.transactions(), recorded.samples.len()), (1, 1));
    let messages = recorded.errors.iter().map(|error| error.message.clone()).collect();
    let body = String::from_utf8_lossy(&body).into_owned();
    (status, body, has_id, recorded.samples[0].result.to_string(), messages)
}

#[actix_web::test]
async fn the_response_decides_how_a_request_ended() {
    let forbidden: Make = || Forbidden.into();
    let broken: Make = || Broken.into();
    let cases: [(Make, u16, &str, bool, &[&str]); 4] = [
        (forbidden, 403, "no entry", false, &[]),
        (conflict, 409, "conflict", false, &[]),
        (broken, 500, "later", true, &["the database is away"]),
        (unavailable, 503, "closed", true, &["there is no cart"]),
    ];
    for (error, status, body, has_id, messages) in cases {
        let messages: Vec<_> = messages.iter().map(ToString::to_string).collect();
        let expected = (status, body.to_owned(), has_id, status.to_string(), messages);
        assert_eq!(answer_with(error, false).await, expected, "of a handler");
        assert_eq!(answer_with(error, true).await, expected, "of a middleware");
    }
}

#[actix_web::test]
async fn an_error_that_an_outer_middleware_replaces_ends_its_transaction() {
    let (agent, exporter) = monitored();
    let fails = from_fn(async |_: ServiceRequest, _: Next<BoxBody>| {
        Err::<ServiceResponse, _>(ErrorInternalServerError("no cart"))
    });
    let replaces = from_fn(async |request: ServiceRequest, next: Next<OpbeatBody<BoxBody>>| {
        let replaced = request.into_response(HttpResponse::Ok().finish());
        let request = test::TestRequest::get().uri("/").to_srv_request();
        let failed = next.call(request).await.map(drop).unwrap_err();
        drop(failed);
        Ok::<_, actix_web::Error>(replaced)
    });
    let app = App::new().wrap(fails).wrap(Opbeat::new(&agent)).wrap(replaces).route("/", web::to(async || "never"));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, test::TestRequest::get().uri("/").to_request()).await;
    assert_eq!(response.status().as_u16(), 200);
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.samples()[0].result.to_string(), "500", "the status of the error is the best that is known");
}

/// An error that implements neither `Error` nor has causes.
#[derive(Debug)]
enum NoError {
    Shelf(u32),
}

impl fmt::Display for NoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Shelf(number) = self;
        write!(f, "no shelf {number}")
    }
}

impl ResponseError for NoError {}

#[actix_web::test]
async fn types_that_are_no_errors_are_described_by_a_function() {
    let (_, _, recorded) = fail(|| NoError::Shelf(3).into(), |opbeat| opbeat.downcast_with(describe_shelf)).await;
    assert_eq!(only(&recorded).message, "Shelf(3)");
    assert_eq!((only(&recorded).type_name.as_deref(), &only(&recorded).location), (Some("NoError"), &None));
}

fn describe_shelf(error: &NoError) -> CapturedError {
    CapturedError::from_debug(error)
}

/// An error whose response can be made again, unlike that of `InternalError::from_response`.
#[actix_web::test]
async fn a_response_that_is_made_again_keeps_the_error_id() {
    let (agent, exporter) = monitored();
    let fails = from_fn(async |_: ServiceRequest, _: Next<BoxBody>| Err::<ServiceResponse, _>(Broken.into()));
    let opbeat = Opbeat::new(&agent).error_id_header(true);
    let app = test::init_service(App::new().wrap(fails).wrap(opbeat).route("/", web::to(async || "never"))).await;
    let error = test::try_call_service(&app, test::TestRequest::get().uri("/").to_request()).await.unwrap_err();
    let [first, second] = [error.error_response(), error.error_response()].map(|response| {
        let id = response.headers().get("x-opbeat-id").map(|id| id.to_str().unwrap().to_owned());
        (response.status().as_u16(), id)
    });
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(first, (500, Some(exporter.errors()[0].id.to_string())));
    assert_eq!(second, first);
    assert_eq!(exporter.samples()[0].result.to_string(), "500");
}

/// An error whose text panics.
#[derive(Debug)]
struct Unprintable;

impl fmt::Display for Unprintable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no text")
    }
}

impl ResponseError for Unprintable {
    fn error_response(&self) -> HttpResponse {
        HttpResponse::BadGateway().finish()
    }
}

#[actix_web::test]
async fn an_error_that_cannot_be_printed_does_not_fail_its_request() {
    let (status, _, recorded) = fail(|| Unprintable.into(), |opbeat| opbeat).await;
    assert_eq!(status.as_u16(), 502);
    assert_eq!(recorded.transactions(), 1);
}

#[actix_web::test]
async fn a_compressed_body_is_not_shorter_than_its_declared_length() {
    async fn declared() -> HttpResponse {
        let chunks = futures_util::stream::iter([Ok::<_, std::convert::Infallible>(bytes::Bytes::from_static(b"one"))]);
        HttpResponse::Ok().insert_header(("content-length", "10")).body(actix_web::body::BodyStream::new(chunks))
    }
    let (status, _, recorded) = respond(web::to(declared), |opbeat| opbeat).await;
    assert_eq!((status.as_u16(), recorded.errors.len()), (200, 0), "actix ignores the header of a chunked stream");
}

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use opbeat_axum::{CapturedError, OpbeatLayer, Reported, RequestBodyLayer};
use opbeat_core::export::Batch;
use opbeat_core::record::{ErrorRecord, Outcome};
use opbeat_testing::behaviour::CartError;
use tower::{ServiceBuilder, ServiceExt};
use tower_http::limit::RequestBodyLimitLayer;

use crate::monitored;

/// Calls a router behind a layer. Returns the response, its body and what was recorded.
async fn call(
    router: Router,
    adjust: impl FnOnce(OpbeatLayer) -> OpbeatLayer,
    request: Request<Body>,
) -> (StatusCode, Option<String>, String, Batch) {
    let (agent, exporter) = monitored();
    let response = router.layer(adjust(OpbeatLayer::new(&agent))).oneshot(request).await.unwrap();
    let (status, id) = (response.status(), response.headers().get("x-opbeat-id").cloned());
    let body = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    agent.flush(Duration::from_secs(30)).unwrap();
    let id = id.map(|id| id.to_str().unwrap().to_owned());
    (status, id, String::from_utf8(body.to_vec()).unwrap(), exporter.take())
}

fn request(method: &str, body: &'static str) -> Request<Body> {
    let request = Request::builder().method(method).uri("/").header("content-type", "application/json");
    request.body(Body::from(body)).unwrap()
}

fn only(recorded: &Batch) -> &ErrorRecord {
    assert_eq!(recorded.errors.len(), 1, "{:#?}", recorded.errors);
    &recorded.errors[0]
}

async fn checkout() -> opbeat_axum::Result<&'static str> {
    let checked: Result<&'static str, CartError> = Err(CartError::new());
    let line = line!() + 1;
    let page = checked.inspect_err(|_| opbeat_axum::current().set_extra("line", line))?;
    Ok(page)
}

#[tokio::test]
async fn an_error_has_the_line_of_its_question_mark() {
    let router = Router::new().route("/", get(checkout));
    let (status, _, body, recorded) = call(router, |layer| layer, request("GET", "")).await;
    assert_eq!(
        (status.as_u16(), body.as_str()),
        (500, "Internal Server Error"),
        "clients do not see the error's message"
    );
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("CartError"), "there is no cart"));
    assert_eq!(error.causes[0].message, "the shelf is broken");
    let location = error.location.as_ref().unwrap();
    let line = &error.extra.iter().find(|(key, _)| key == "line").unwrap().1;
    assert!(location.file.ends_with("errors.rs"));
    assert_eq!(line.to_string(), location.line.to_string());
}

#[tokio::test]
async fn every_convertible_error_is_reported() {
    async fn text() -> opbeat_axum::Result<()> {
        Err("out of paper")?
    }
    async fn forbidden() -> opbeat_axum::Result<()> {
        Err(opbeat_axum::Error::from(CartError::new()).with_status(StatusCode::FORBIDDEN))
    }
    let (_, _, _, recorded) = call(Router::new().route("/", get(text)), |layer| layer, request("GET", "")).await;
    assert_eq!((only(&recorded).type_name.as_deref(), &*only(&recorded).message), (Some("Error"), "out of paper"));
    let (status, _, _, recorded) =
        call(Router::new().route("/", get(forbidden)), |layer| layer, request("GET", "")).await;
    assert_eq!((status.as_u16(), recorded.errors.len()), (403, 0), "a mistake of the client is not reported");
    assert_eq!(recorded.samples[0].extra, [("error".into(), "there is no cart".into())]);
}

/// An error of the application, which it adds to the response like axum's example of error handling.
#[derive(Debug)]
struct AppError(CartError);

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("checkout failed")
    }
}

impl std::error::Error for AppError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let mut response = StatusCode::BAD_GATEWAY.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

#[tokio::test]
async fn errors_in_extensions_are_reported() {
    let router = Router::new().route("/", get(async || AppError(CartError::new())));
    let (_, _, _, recorded) =
        call(router, |layer| layer.capture_extension::<Arc<AppError>>(), request("GET", "")).await;
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("AppError"), "checkout failed"));
    let causes: Vec<&str> = error.causes.iter().map(|cause| cause.message.as_str()).collect();
    assert_eq!(causes, ["there is no cart", "the shelf is broken"]);

    let respond =
        async || (StatusCode::INTERNAL_SERVER_ERROR, Extension(CapturedError::new(&CartError::new())), "oops");
    let (_, _, body, recorded) = call(Router::new().route("/", get(respond)), |layer| layer, request("GET", "")).await;
    assert_eq!((body.as_str(), only(&recorded).message.as_str()), ("oops", "there is no cart"));
}

/// The error of axum's example of error handling. It implements only `Debug`.
#[derive(Debug)]
enum ExampleError {
    JsonRejection(JsonRejection),
    TimeError(TimeError),
}

#[derive(Debug)]
enum TimeError {
    FailedToGetTime,
}

impl IntoResponse for ExampleError {
    fn into_response(self) -> Response {
        let (status, message, err) = match &self {
            Self::JsonRejection(rejection) => (rejection.status(), rejection.body_text(), None),
            Self::TimeError(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong".to_owned(), Some(self)),
        };
        let mut response = (status, Json(message)).into_response();
        if let Some(err) = err {
            response.extensions_mut().insert(Arc::new(err));
        }
        response
    }
}

impl From<JsonRejection> for ExampleError {
    fn from(rejection: JsonRejection) -> Self {
        Self::JsonRejection(rejection)
    }
}

#[tokio::test]
async fn errors_of_the_axum_example_are_reported() {
    async fn create(number: Result<Json<u32>, JsonRejection>) -> Result<String, ExampleError> {
        match number?.0 {
            0 => Err(ExampleError::TimeError(TimeError::FailedToGetTime)),
            number => Ok(number.to_string()),
        }
    }
    let layer =
        |layer: OpbeatLayer| layer.capture_extension_with(|err: &Arc<ExampleError>| CapturedError::from_debug(err));
    let router = || Router::new().route("/", post(create));
    let (status, _, body, recorded) = call(router(), layer, request("POST", "0")).await;
    assert_eq!((status.as_u16(), body.as_str()), (500, "\"Something went wrong\""));
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), &*error.message), (Some("ExampleError"), "TimeError(FailedToGetTime)"));
    let (status, _, _, recorded) = call(router(), layer, request("POST", "\"two\"")).await;
    assert_eq!((status.as_u16(), recorded.errors.len()), (422, 0));
}

#[tokio::test]
async fn different_errors_in_one_extension_type_are_separate() {
    let (agent, exporter) = monitored();
    let respond = |text: &'static str| {
        get(async move || {
            let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
            response.extensions_mut().insert(Arc::new(std::io::Error::other(text)));
            response
        })
    };
    let router = Router::new().route("/db", respond("rejected")).route("/mail", respond("bounced"));
    let app = router.layer(OpbeatLayer::new(&agent).capture_extension::<Arc<std::io::Error>>());
    for path in ["/db", "/mail"].repeat(30) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    agent.flush(Duration::from_secs(30)).unwrap();
    for (text, name) in [("rejected", "GET /db"), ("bounced", "GET /mail")] {
        let with_text: Vec<_> = exporter.errors().into_iter().filter(|error| error.message == text).collect();
        assert_eq!(with_text.iter().map(|error| error.occurrences).sum::<u64>(), 30, "{text}");
        assert!(with_text.iter().all(|error| error.location.is_none() && error.culprit.as_deref() == Some(name)));
    }
}

#[tokio::test]
async fn an_error_is_reported_with_every_status_of_5xx() {
    async fn fail(status: StatusCode) -> opbeat_axum::Result<()> {
        Err(opbeat_axum::Error::from(CartError::new()).with_status(status))
    }
    for (status, errors) in [(500, 1), (503, 1), (504, 1), (408, 0)] {
        let status = StatusCode::from_u16(status).unwrap();
        let router = Router::new().route("/", get(move || fail(status)));
        let (_, id, _, recorded) = call(router, |layer| layer.error_id_header(true), request("GET", "")).await;
        assert_eq!((recorded.errors.len(), id.is_some()), (errors, errors > 0), "{status}");
    }
}

#[tokio::test]
async fn an_error_in_a_streamed_body_has_its_causes() {
    let broken = async || {
        let chunks = [Ok("half"), Err(CartError::new())];
        Body::from_stream(futures_util::stream::iter(chunks))
    };
    let (agent, exporter) = monitored();
    let app = Router::new().route("/", get(broken)).layer(OpbeatLayer::new(&agent));
    let response = app.oneshot(request("GET", "")).await.unwrap();
    assert!(axum::body::to_bytes(response.into_body(), 100).await.is_err());
    agent.flush(Duration::from_secs(30)).unwrap();
    let recorded = exporter.take();
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), &*error.message), (Some("CartError"), "there is no cart"));
    assert_eq!(error.causes[0].message, "the shelf is broken");
}

#[tokio::test]
async fn rejections_are_reported() {
    let reported =
        Router::new().route("/", post(async |Reported(Json(number)): Reported<Json<u32>>| number.to_string()));
    let (status, _, body, recorded) = call(reported, |layer| layer, request("POST", "\"two\"")).await;
    assert_eq!((status.as_u16(), recorded.errors.len()), (422, 0));
    assert!(body.starts_with("Failed to deserialize"), "{body}");
    let (key, note) = &recorded.samples[0].extra[0];
    assert!(key == "error" && note.to_string().starts_with("Failed to deserialize"), "{note}");

    let missing = Router::new().route("/", get(async |Reported(Extension(_)): Reported<Extension<u32>>| "never"));
    let (status, _, _, recorded) = call(missing, |layer| layer, request("GET", "")).await;
    assert_eq!(status.as_u16(), 500);
    assert!(only(&recorded).message.contains("Missing request extension"), "{}", only(&recorded).message);

    type Rejected = Result<Json<u32>, JsonRejection>;
    async fn echo(number: Rejected) -> opbeat_axum::Result<String> {
        Ok(number?.to_string())
    }
    let (status, _, body, _) =
        call(Router::new().route("/", post(echo)), |layer| layer, request("POST", "\"two\"")).await;
    assert_eq!(status.as_u16(), 422, "the rejection keeps its response");
    assert!(body.starts_with("Failed to deserialize"), "{body}");
}

#[tokio::test]
async fn a_panic_is_caught_if_configured() {
    async fn panics(State(()): State<()>) -> &'static str {
        opbeat_axum::current().set_tag("plan", "gold");
        panic!("no books")
    }
    let router = Router::new().route("/", get(panics)).with_state(());
    let (status, id, body, recorded) =
        call(router, |layer| layer.catch_panics(true).error_id_header(true), request("GET", "")).await;
    assert_eq!((status.as_u16(), body.as_str()), (500, ""));
    let error = only(&recorded);
    assert_eq!((error.type_name.as_deref(), error.message.as_str()), (Some("panic"), "no books"));
    assert_eq!(id, Some(error.id.to_string()));
    let sample = &recorded.samples[0];
    assert_eq!((sample.outcome, sample.result.to_string().as_str()), (Outcome::Panicked, "panicked"));
    assert_eq!(sample.tags, [("plan".into(), "gold".into())]);
}

#[tokio::test]
async fn an_error_report_contains_the_request_body() {
    let echo = post(async |_: String| StatusCode::INTERNAL_SERVER_ERROR);
    let router = Router::new().route("/", echo).layer(RequestBodyLayer::new(20));
    let sent = r#"{"title": "Emma", "year": 1815}"#;
    let (_, _, _, recorded) = call(router, |layer| layer, request("POST", sent)).await;
    assert_eq!(only(&recorded).request.as_ref().unwrap().body(), Some(&sent[..20]));
}

#[tokio::test]
async fn a_layer_around_the_router_records_without_names() {
    let (agent, exporter) = monitored();
    let router: Router = Router::new().route("/books/{id}", get(async || "Emma"));
    let service = tower::Layer::layer(&OpbeatLayer::new(&agent), router);
    let response = service.oneshot(Request::get("/books/1").body(Body::empty()).unwrap()).await.unwrap();
    axum::body::to_bytes(Body::new(response.into_body()), 100).await.unwrap();
    agent.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 1);
}

#[tokio::test]
async fn chosen_response_headers_are_shown_with_errors() {
    let exporter = opbeat_testing::MemoryExporter::default();
    let config = opbeat_axum::Config::default().response_header("X-Request-Id").response_header("X-Token");
    let agent = opbeat_axum::Agent::with_exporter(&config, exporter.clone());
    let failing = async || {
        let headers = [("x-request-id", "r-17"), ("x-token", "hunter2"), ("x-other", "1")];
        (StatusCode::BAD_GATEWAY, headers, "no shelf")
    };
    let router = Router::new().route("/", get(failing)).layer(OpbeatLayer::new(&agent));
    let response = router.oneshot(request("GET", "")).await.unwrap();
    axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    agent.flush(Duration::from_secs(30)).unwrap();
    let recorded = exporter.take();
    let expected = [("x-request-id".into(), "r-17".into()), ("x-token".into(), "[REDACTED]".into())];
    assert_eq!(only(&recorded).response_headers, expected);
    assert_eq!(recorded.samples[0].response_headers, expected);
    assert_eq!(recorded.samples[0].response_bytes, Some(8), "the length of the body");
}

#[tokio::test]
async fn request_bodies_are_kept_inside_of_a_limit() {
    let read = async |body: String| (StatusCode::INTERNAL_SERVER_ERROR, body);
    let limits = ServiceBuilder::new().layer(RequestBodyLimitLayer::new(1_000)).layer(RequestBodyLayer::new(20));
    let router = Router::new().route("/", post(read)).layer(limits);
    let (_, _, _, recorded) = call(router, |layer| layer, request("POST", "title=Emma")).await;
    assert_eq!(only(&recorded).request.as_ref().unwrap().body(), Some("title=Emma"));
}

#[tokio::test]
async fn response_headers_belong_to_one_request() {
    let exporter = opbeat_testing::MemoryExporter::default();
    let config = opbeat_axum::Config::default().response_header("x-request-id");
    let agent = opbeat_axum::Agent::with_exporter(&config, exporter.clone());
    let failing = async |status: axum::extract::Path<u16>| {
        (StatusCode::from_u16(status.0).unwrap(), [("x-request-id", status.0.to_string())])
    };
    let router = Router::new().route("/{status}", get(failing)).layer(OpbeatLayer::new(&agent));
    for status in [404, 404, 404, 404, 502] {
        let request = Request::builder().uri(format!("/{status}")).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
    }
    agent.flush(Duration::from_secs(30)).unwrap();
    let recorded = exporter.take();
    assert_eq!(only(&recorded).response_headers, [("x-request-id".into(), "502".into())]);
}

//! OTLP over HTTP and gRPC, with the messages of OpenTelemetry's own crate.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, span::Event};
use prost::Message;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tonic::codec::CompressionEncoding;
use tonic::transport::Channel;
use tonic::{Code, Request};

use crate::database::Database;
use crate::running::Running;

const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const CONSUMER: i32 = 5;
const INTERNAL: i32 = 1;

fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

fn number(key: &str, value: i64) -> KeyValue {
    attribute(key, any_value::Value::IntValue(value))
}

fn now() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(now.as_nanos()).unwrap() - 10_000_000_000
}

/// Returns a span from `start` to `end` in milliseconds. Parent 0 is no parent.
fn span(kind: i32, name: &str, (id, parent): (u8, u8), (start, end): (u64, u64), attributes: Vec<KeyValue>) -> Span {
    let base = now();
    Span {
        trace_id: vec![7; 16],
        span_id: vec![id; 8],
        parent_span_id: if parent == 0 { Vec::new() } else { vec![parent; 8] },
        name: name.to_owned(),
        kind,
        start_time_unix_nano: base + start * 1_000_000,
        end_time_unix_nano: base + end * 1_000_000,
        attributes,
        ..Span::default()
    }
}

pub(crate) fn request_span() -> Span {
    let attributes = vec![
        text("http.request.method", "GET"),
        text("http.route", "/books/{id}"),
        number("http.response.status_code", 200),
        text("url.path", "/books/7"),
        text("url.query", "api_key=s3cret"),
    ];
    span(SERVER, "GET", (1, 9), (0, 100), attributes)
}

fn query_span() -> Span {
    let attributes = vec![text("db.system", "postgresql"), text("db.statement", "SELECT * FROM books WHERE id = $1")];
    span(CLIENT, "shop", (2, 1), (10, 50), attributes)
}

fn exception(type_name: &str, message: &str, stack: &str) -> Vec<KeyValue> {
    vec![text("exception.type", type_name), text("exception.message", message), text("exception.stacktrace", stack)]
}

const STACK: &str = "Traceback (most recent call last):\n  File \"/app/shop/cart.py\", line 12, in buy\n    raise CartError()\nshop.cart.CartError: no books\n";

fn event() -> Event {
    Event {
        time_unix_nano: now(),
        name: "exception".to_owned(),
        attributes: exception("shop.cart.CartError", "no books", STACK),
        ..Event::default()
    }
}

fn resource(service: &str) -> Option<Resource> {
    let attributes = vec![
        text("service.name", service),
        text("service.version", "1.2.3"),
        text("deployment.environment.name", "staging"),
        text("host.name", "web-1"),
        text("telemetry.sdk.language", "python"),
    ];
    Some(Resource { attributes, ..Resource::default() })
}

pub(crate) fn traces_of(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    let resource = resource(service);
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { resource, scope_spans, ..Default::default() }] }
}

pub(crate) fn traces(spans: Vec<Span>) -> ExportTraceServiceRequest {
    traces_of("shop", spans)
}

fn logs(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let scope = Some(InstrumentationScope { name: "shop.cart".to_owned(), ..InstrumentationScope::default() });
    let scope_logs = vec![ScopeLogs { scope, log_records, ..ScopeLogs::default() }];
    let resource = resource("shop");
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { resource, scope_logs, ..Default::default() }] }
}

fn log(severity_number: i32, body: &str) -> LogRecord {
    LogRecord {
        time_unix_nano: now(),
        severity_number,
        body: Some(AnyValue { value: Some(any_value::Value::StringValue(body.to_owned())) }),
        ..LogRecord::default()
    }
}

pub(crate) async fn post(running: &Running, path: &str, media_type: &str, body: Vec<u8>) -> reqwest::Response {
    let request = running.client.post(format!("{}{path}", running.server.url()));
    let request = request.bearer_auth(&running.app.secret_token).header("content-type", media_type);
    request.body(body).send().await.unwrap()
}

async fn export(running: &Running, spans: Vec<Span>) {
    let response = post(running, "/v1/traces", "application/x-protobuf", traces(spans).encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-protobuf");
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);
}

async fn transaction(running: &Running) -> Value {
    let list = running.ask("transactions/").await;
    assert_eq!(list["transactions"].as_array().unwrap().len(), 1, "{list:#}");
    list["transactions"][0].clone()
}

async fn breakdown(running: &Running) -> Vec<(String, f64)> {
    let id = &transaction(running).await["id"];
    let parts = running.ask(&format!("transactions/{id}/breakdown/")).await;
    let part = |part: &Value| (part["kind"].as_str().unwrap().to_owned(), part["self_ms"].as_f64().unwrap().round());
    let mut parts: Vec<_> = parts.as_array().unwrap().iter().map(part).collect();
    parts.sort_by(|a, b| a.0.cmp(&b.0));
    parts
}

async fn sample(running: &Running) -> Value {
    let id = &transaction(running).await["id"];
    let samples = running.ask(&format!("transactions/{id}/samples/")).await;
    assert_eq!(samples.as_array().unwrap().len(), 1);
    running.ask(&format!("transactions/{id}/samples/{}/", samples[0]["id"])).await
}

fn signatures(sample: &Value) -> Vec<(&str, u64)> {
    let spans = sample["spans"].as_array().unwrap();
    spans.iter().map(|span| (span["signature"].as_str().unwrap(), span["depth"].as_u64().unwrap())).collect()
}

fn parts(expected: &[(&str, f64)]) -> Vec<(String, f64)> {
    expected.iter().map(|(kind, ms)| ((*kind).to_owned(), *ms)).collect()
}

#[tokio::test]
async fn a_request_becomes_a_transaction_with_its_spans() {
    let running = Running::start().await;
    export(&running, vec![query_span(), request_span()]).await;
    running.drained().await;
    let transaction = transaction(&running).await;
    assert_eq!((&transaction["name"], &transaction["kind"]), (&json!("GET /books/{id}"), &json!("request")));
    assert_eq!((&transaction["count"], &transaction["results"]["200"]), (&json!(1), &json!(1)));
    assert_eq!(breakdown(&running).await, parts(&[("app", 60.0), ("db.postgresql.query", 40.0)]));
    let sample = sample(&running).await;
    assert_eq!(signatures(&sample), [("SELECT FROM books", 0)]);
    assert_eq!(sample["spans"][0]["extra"]["sql"], "SELECT * FROM books WHERE id = $1");
    let context = &sample["context"];
    assert_eq!((&context["rev"], &context["tags"]["environment"]), (&json!("1.2.3"), &json!("staging")));
    assert_eq!((&context["tags"]["host"], &context["trace_id"]), (&json!("web-1"), &json!("07".repeat(16))));
    assert_eq!(sample["outcome"], "ok");
    assert!(!sample.to_string().contains("s3cret"), "{sample:#}");
}

#[tokio::test]
async fn children_of_earlier_and_later_exports_are_joined() {
    let running = Running::start().await;
    let inner = span(INTERNAL, "render", (3, 2), (20, 30), Vec::new());
    // The grandchild is first, so that its parent is unknown, then the transaction, then the parent between them.
    for spans in [vec![inner], vec![request_span()], vec![query_span()]] {
        export(&running, spans).await;
        running.drained().await;
    }
    let expected = parts(&[("app", 60.0), ("app.custom", 10.0), ("db.postgresql.query", 30.0)]);
    assert_eq!(breakdown(&running).await, expected);
    assert_eq!(signatures(&sample(&running).await), [("SELECT FROM books", 0), ("render", 1)]);
    let [query] = &running.ask("queries/").await["spans"].as_array().unwrap().clone()[..] else { panic!() };
    assert_eq!((&query["signature"], &query["count"]), (&json!("SELECT FROM books"), &json!(1)));
    assert_eq!((&query["total_ms"], &query["estimated_from_samples"]), (&json!(40.0), &Value::Null));
}

#[tokio::test]
async fn repeated_spans_count_once_in_any_batch() {
    let running = Running::start().await;
    let spans = || vec![query_span(), request_span()];
    for batch in [spans(), spans(), vec![request_span()], vec![query_span()]] {
        export(&running, batch).await;
        running.drained().await;
    }
    assert_eq!(transaction(&running).await["count"], 1);
    assert_eq!(breakdown(&running).await, parts(&[("app", 60.0), ("db.postgresql.query", 40.0)]));
    assert_eq!(signatures(&sample(&running).await), [("SELECT FROM books", 0)]);
}

#[tokio::test]
async fn messages_and_jobs_are_transactions_and_other_roots_are_not() {
    let running = Running::start().await;
    let mut failed = span(INTERNAL, "nightly", (1, 0), (0, 10), Vec::new());
    failed.status = Some(Status { code: 2, ..Status::default() });
    let message = span(CONSUMER, "orders process", (2, 9), (0, 10), Vec::new());
    let lone = span(CLIENT, "PING", (3, 0), (0, 10), vec![text("db.system", "redis")]);
    export(&running, vec![failed, message, lone]).await;
    running.drained().await;
    let list = running.ask("transactions/").await;
    let mut shown: Vec<String> = list["transactions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|shown| format!("{} {} {}", shown["kind"], shown["name"], shown["results"]))
        .collect();
    shown.sort();
    assert_eq!(shown, [r#""job" "nightly" {"error":1}"#, r#""message" "orders process" {"ok":1}"#]);
    assert_eq!(changed(&running).await, [("no_transaction".to_owned(), 1)]);
    assert!(running.page("/acme/shop/intake/").await.contains("no transaction contains them"));
}

#[tokio::test]
async fn json_by_the_rules_of_otlp_is_accepted() {
    let running = Running::start().await;
    let start = now();
    let body = json!({"resourceSpans": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
        "scopeSpans": [{"scope": {"name": "http"}, "unknown": [1], "spans": [{
            "traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "eee19b7ec3c1b174", "parentSpanId": "",
            "name": "GET", "kind": 2, "startTimeUnixNano": start.to_string(), "endTimeUnixNano": start + 5_000_000,
            "droppedAttributesCount": 0, "status": {},
            "attributes": [
                {"key": "http.method", "value": {"stringValue": "POST"}},
                {"key": "http.route", "value": {"stringValue": "/cart"}},
                {"key": "http.status_code", "value": {"intValue": "503"}},
                {"key": "list", "value": {"arrayValue": {"values": [{"doubleValue": 1.5}, {"boolValue": true}]}}},
            ],
        }]}],
    }]});
    let response = post(&running, "/v1/traces", "application/json; charset=utf-8", body.to_string().into_bytes()).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    assert_eq!(response.json::<Value>().await.unwrap(), json!({}));
    running.drained().await;
    let transaction = transaction(&running).await;
    assert_eq!((&transaction["name"], &transaction["results"]["503"]), (&json!("POST /cart"), &json!(1)));
    let sample = sample(&running).await;
    assert_eq!(sample["outcome"], "server_error");
    assert_eq!(sample["context"]["extra"]["list"], json!([1.5, true]));
}

#[tokio::test]
async fn compressed_bodies_are_accepted() {
    let running = Running::start().await;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&traces(vec![request_span()]).encode_to_vec()).unwrap();
    let request = running.client.post(format!("{}/v1/traces", running.server.url()));
    let request = request.header("authorization", format!("BEARER {}", running.app.secret_token));
    let request = request.header("content-type", "application/x-protobuf").header("content-encoding", "gzip");
    let response = request.body(encoder.finish().unwrap()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    running.drained().await;
    assert_eq!(transaction(&running).await["count"], 1);
}

pub(crate) async fn channel(running: &Running) -> Channel {
    Channel::from_shared(running.server.url()).unwrap().connect().await.unwrap()
}

pub(crate) fn with_token<T>(running: &Running, message: T) -> Request<T> {
    let mut request = Request::new(message);
    let token = format!("Bearer {}", running.app.secret_token);
    request.metadata_mut().insert("authorization", token.parse().unwrap());
    request
}

#[tokio::test]
async fn grpc_is_accepted_on_the_same_port() {
    let running = Running::start().await;
    let channel = channel(&running).await;
    let mut client = TraceServiceClient::new(channel.clone()).send_compressed(CompressionEncoding::Gzip);
    let answer = client.export(with_token(&running, traces(vec![request_span(), query_span()]))).await.unwrap();
    assert_eq!(answer.into_inner().partial_success, None);
    let mut client = LogsServiceClient::new(channel.clone());
    client.export(with_token(&running, logs(vec![log(17, "no stamps")]))).await.unwrap();
    let mut client = MetricsServiceClient::new(channel.clone());
    let metric = Metric { name: "http.server.request.duration".to_owned(), ..Metric::default() };
    let scope_metrics = vec![ScopeMetrics { metrics: vec![metric], ..ScopeMetrics::default() }];
    let metrics = vec![ResourceMetrics { resource: resource("shop"), scope_metrics, ..ResourceMetrics::default() }];
    let answer = client.export(with_token(&running, ExportMetricsServiceRequest { resource_metrics: metrics })).await;
    assert_eq!(answer.unwrap().into_inner().partial_success, None);
    running.drained().await;
    assert_eq!(transaction(&running).await["count"], 1);
    assert_eq!(running.ask("errors/").await["total"], 1);
    let mut client = TraceServiceClient::new(channel);
    let refused = client.export(traces(vec![request_span()])).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    assert!(refused.message().contains("The request has no token"), "{}", refused.message());
}

#[tokio::test]
async fn a_full_queue_asks_for_another_attempt() {
    let running = Running::start_with(|config| config.queue_limits.backlog = 10).await;
    let body = traces(vec![request_span()]).encode_to_vec();
    let response = post(&running, "/v1/traces", "application/x-protobuf", body).await;
    assert_eq!(
        (response.status(), &response.headers()["retry-after"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"5".parse().unwrap())
    );
    let mut client = TraceServiceClient::new(channel(&running).await);
    let refused = client.export(with_token(&running, traces(vec![request_span()]))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert!(!refused.details().is_empty(), "the details contain the delay");
}

#[tokio::test]
async fn unknown_services_are_refused_or_create_their_apps() {
    let running = Running::start().await;
    let mixed = || {
        let mut mixed = traces(vec![request_span()]);
        mixed.resource_spans.extend(traces_of("Checkout Service", vec![request_span(), query_span()]).resource_spans);
        mixed.encode_to_vec()
    };
    let response = post(&running, "/v1/traces", "application/x-protobuf", mixed()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("opbeat org services acme --create"), "{}", partial.error_message);
    running.drained().await;
    assert_eq!(transaction(&running).await["count"], 1, "the other resource is stored");

    let other = Running::start().await;
    other.command(&["org", "services", "acme", "--create"]).await;
    let response = post(&other, "/v1/traces", "application/x-protobuf", mixed()).await;
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success, None);
    other.drained().await;
    let created = other.ask("../checkout-service/transactions/").await;
    assert_eq!(created["transactions"][0]["count"], 1, "{created:#}");
}

#[tokio::test]
async fn an_exception_of_nested_spans_counts_once() {
    let running = Running::start().await;
    let mut inner = span(INTERNAL, "buy", (2, 1), (10, 50), Vec::new());
    inner.events = vec![event()];
    let mut outer = request_span();
    outer.events = vec![event()];
    outer.status = Some(Status { code: 2, ..Status::default() });
    for spans in [vec![inner.clone()], vec![outer], vec![inner]] {
        export(&running, spans).await;
        running.drained().await;
    }
    let mut record = log(17, "buying failed");
    (record.trace_id, record.span_id) = (vec![7; 16], vec![1; 8]);
    record.attributes = exception("shop.cart.CartError", "no books", STACK);
    let body = logs(vec![record]).encode_to_vec();
    assert_eq!(post(&running, "/v1/logs", "application/x-protobuf", body).await.status(), StatusCode::OK);
    running.drained().await;
    let list = running.ask("errors/").await;
    assert_eq!((&list["total"], &list["errors"][0]["times_seen"]), (&json!(1), &json!(1)), "{list:#}");
    let error = running.ask(&format!("errors/{}/", list["errors"][0]["number"])).await;
    assert_eq!((&error["type_name"], &error["message"]), (&json!("CartError"), &json!("no books")));
    let report = &error["occurrence"]["report"];
    assert_eq!(report["stacktrace"]["frames"][0]["function"], "buy");
    assert_eq!((&report["rev"], &report["machine"]["hostname"]), (&json!("1.2.3"), &json!("web-1")));
    assert_eq!(report["transaction"]["name"], "GET /books/{id}");
    let sample = &error["occurrence"]["sample"];
    assert!(sample["sample_id"].is_number(), "the error refers to the transaction of its span: {error:#}");
    assert_eq!(transaction(&running).await["results"]["error"], 1, "200 does not report the failure");
}

/// Returns many children of the request's span, each with a statement of some length.
pub(crate) fn queries(count: u32, statement: usize) -> Vec<Span> {
    let statement = format!("SELECT {}", "x".repeat(statement));
    let query = |id: u32| Span {
        span_id: [[2; 4], id.to_be_bytes()].concat(),
        ..span(CLIENT, "shop", (2, 1), (10, 11), vec![text("db.system", "redis"), text("db.statement", &statement)])
    };
    (0..count).map(query).collect()
}

#[tokio::test]
async fn pending_spans_of_a_trace_have_a_size_limit() {
    let running = Running::start().await;
    let mut spans = queries(800, 9_000);
    let later = spans.split_off(400);
    for spans in [spans, later, vec![request_span()]] {
        export(&running, spans).await;
        running.drained().await;
    }
    let list = running.ask("transactions/").await;
    let dropped = list["drops"][0]["count"].as_u64().unwrap();
    let spans = sample(&running).await["spans"].as_array().unwrap().len() as u64;
    assert_eq!((&list["drops"][0]["reason"], 800 - spans), (&json!("spans"), dropped));
    assert!((400..500).contains(&spans), "4 MiB: {spans}");
}

#[tokio::test]
async fn spans_of_a_transaction_have_a_limit() {
    let running = Running::start().await;
    let mut spans = queries(6_000, 10);
    let late = spans.split_off(3_000);
    for spans in [vec![request_span()], spans, late] {
        export(&running, spans).await;
        running.drained().await;
    }
    let list = running.ask("transactions/").await;
    assert_eq!((&list["drops"][0]["reason"], &list["drops"][0]["count"]), (&json!("spans"), &json!(1_000)));
    let sample = sample(&running).await;
    assert_eq!((sample["spans"].as_array().unwrap().len(), &sample["omitted_spans"]), (2_000, &json!(4_000)));
}

#[tokio::test]
async fn the_facts_of_a_sample_have_a_size_limit() {
    let running = Running::start().await;
    export(&running, [vec![request_span()], queries(50, 9_000)].concat()).await;
    running.drained().await;
    export(&running, vec![query_span()]).await;
    running.drained().await;
    let sample = sample(&running).await;
    let spans = sample["spans"].as_array().unwrap();
    let cut = spans.iter().filter(|span| span["is_cut"] == true).count();
    assert_eq!((spans.len(), sample.to_string().len() < 400_000), (51, true));
    assert!((20..30).contains(&cut), "256 KiB: {cut}");
}

#[tokio::test]
async fn a_sample_that_cannot_be_read_does_not_stop_late_spans() {
    let running = Running::start().await;
    let (request, query) = (request_span(), query_span());
    export(&running, vec![request]).await;
    running.drained().await;
    let database = Database::of(&running).await;
    let damage = database.bytes(&[0]);
    assert_eq!(database.execute(&format!("UPDATE samples SET document = {damage}")).await, 1);
    export(&running, vec![query]).await;
    running.drained().await;
    assert_eq!(breakdown(&running).await, parts(&[("app", 60.0), ("db.postgresql.query", 40.0)]));
}

#[tokio::test]
async fn many_equal_failures_of_a_trace_count_once_each() {
    let running = Running::start().await;
    let failed = |id: u8| {
        let mut failed = span(INTERNAL, "attempt", (id, 1), (10, 20), Vec::new());
        failed.events = vec![event()];
        failed
    };
    let logged = |id: u8| {
        let mut record = log(17, "an attempt failed");
        (record.trace_id, record.span_id) = (vec![7; 16], vec![id; 8]);
        record.attributes = exception("shop.cart.CartError", "no books", STACK);
        record
    };
    for attempts in [2..70_u8, 70..140] {
        export(&running, attempts.clone().map(failed).collect()).await;
        running.drained().await;
        let body = logs(attempts.map(logged).collect()).encode_to_vec();
        assert_eq!(post(&running, "/v1/logs", "application/x-protobuf", body).await.status(), StatusCode::OK);
        running.drained().await;
    }
    assert_eq!(running.ask("errors/").await["errors"][0]["times_seen"], 138);
}

#[tokio::test]
async fn errors_of_many_transactions_keep_their_samples() {
    let running = Running::start().await;
    let handled = |id: u8| {
        // Of the errors of a second, the first and the five newest are kept. The first one is of the fastest and oldest
        // transaction, whose sample is not kept for itself.
        let start = u64::from(id) * 10;
        let mut handled = span(SERVER, "GET", (id, 0), (start, start + 1 + u64::from(id)), request_span().attributes);
        handled.trace_id = vec![id; 16];
        handled.events = vec![event()];
        handled
    };
    export(&running, (1..=20).map(handled).collect()).await;
    running.drained().await;
    let transaction = transaction(&running).await;
    let samples = running.ask(&format!("transactions/{}/samples/", transaction["id"])).await;
    assert_eq!((&transaction["count"], samples.as_array().unwrap().len()), (&json!(20), 6));
    let list = running.ask("errors/").await;
    let error = running.ask(&format!("errors/{}/", list["errors"][0]["number"])).await;
    assert!(error["occurrence"]["sample"]["sample_id"].is_number(), "{error:#}");
}

#[tokio::test]
async fn exceptions_beside_each_other_count_each() {
    let running = Running::start().await;
    let attempt = |id| {
        let mut attempt = span(INTERNAL, "attempt", (id, 1), (10, 20), Vec::new());
        attempt.events = vec![event()];
        attempt
    };
    export(&running, vec![attempt(2), attempt(3), request_span()]).await;
    running.drained().await;
    assert_eq!(running.ask("errors/").await["errors"][0]["times_seen"], 2);
}

#[tokio::test]
async fn only_logs_with_errors_are_stored_once() {
    let running = Running::start().await;
    let mut warned = log(13, "retrying");
    warned.attributes = exception("OSError", "refused", "");
    let body = logs(vec![log(9, "started"), log(21, "no stamps"), warned]).encode_to_vec();
    for _ in 0..2 {
        let response = post(&running, "/v1/logs", "application/x-protobuf", body.clone()).await;
        assert_eq!((response.status(), response.bytes().await.unwrap().len()), (StatusCode::OK, 0));
    }
    running.drained().await;
    let list = running.ask("errors/").await;
    assert_eq!(list["total"], 2);
    for error in list["errors"].as_array().unwrap() {
        assert_eq!(error["times_seen"], 1);
        assert!(["no stamps", "refused"].contains(&error["message"].as_str().unwrap()), "{error}");
    }
}

/// Returns the reasons for which intake changed values, with their counts.
async fn changed(running: &Running) -> Vec<(String, u64)> {
    let report = running.ask("intake/?range=1h").await;
    let note = |note: &Value| (note["reason"].as_str().unwrap().to_owned(), note["count"].as_u64().unwrap());
    report["changed"].as_array().unwrap().iter().map(note).collect()
}

#[tokio::test]
async fn equal_records_of_one_batch_or_of_two_replicas_count_each() {
    let running = Running::start().await;
    let record = log(17, "no stamps");
    let mut batch = logs(vec![record.clone(); 10]);
    let mut replica = logs(vec![record]);
    let other = text("host.name", "web-2");
    replica.resource_logs[0].resource.as_mut().unwrap().attributes[3] = other;
    batch.resource_logs.append(&mut replica.resource_logs);
    // The second delivery is a repetition.
    for _ in 0..2 {
        let response = post(&running, "/v1/logs", "application/x-protobuf", batch.encode_to_vec()).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    running.drained().await;
    assert_eq!(running.ask("errors/").await["errors"][0]["times_seen"], 11);
}

#[tokio::test]
async fn spans_without_times_last_no_time() {
    let running = Running::start().await;
    let request = |id: u8, times: (u64, u64)| {
        let mut span = request_span();
        (span.span_id, span.parent_span_id) = (vec![id; 8], Vec::new());
        (span.start_time_unix_nano, span.end_time_unix_nano) = times;
        span
    };
    let end = now();
    let spans =
        vec![request(1, (0, end)), request(2, (end, 0)), request(3, (0, 0)), request(4, (end, end - 1_000_000))];
    export(&running, spans).await;
    running.drained().await;
    let transaction = transaction(&running).await;
    assert_eq!((&transaction["count"], &transaction["max_ms"]), (&json!(4), &json!(0.0)));
    assert_eq!(changed(&running).await, [("no_span_time".to_owned(), 4)]);
}

#[tokio::test]
async fn a_transaction_with_a_wrong_clock_keeps_its_breakdown() {
    let day = 86_400_000_000_000;
    for clock in [now() + day, now() - 30 * day] {
        let running = Running::start().await;
        let moved = |mut span: Span, start: u64, end: u64| {
            (span.start_time_unix_nano, span.end_time_unix_nano) = (clock + start * 1_000_000, clock + end * 1_000_000);
            span
        };
        let inner = span(INTERNAL, "render", (3, 1), (0, 0), Vec::new());
        let early = vec![moved(request_span(), 0, 100), moved(query_span(), 10, 50)];
        // The last span is late.
        for spans in [early, vec![moved(inner, 60, 90)]] {
            export(&running, spans).await;
            running.drained().await;
        }
        let expected = parts(&[("app", 30.0), ("app.custom", 30.0), ("db.postgresql.query", 40.0)]);
        assert_eq!(breakdown(&running).await, expected);
        let sample = sample(&running).await;
        let starts: Vec<f64> =
            sample["spans"].as_array().unwrap().iter().map(|span| span["start_ms"].as_f64().unwrap()).collect();
        assert_eq!(starts, [10.0, 60.0]);
        assert_eq!(changed(&running).await, [("other_time".to_owned(), 1)]);
    }
}

/// prost skips groups that it does not know, so that they could hide messages from the weight.
#[tokio::test]
async fn groups_are_refused() {
    let running = Running::start().await;
    let spans = [0x12, 0x00].repeat(100_000);
    let nested = |field: u8, content: Vec<u8>| {
        let length = u32::try_from(content.len()).unwrap();
        let mut message = vec![field];
        prost::encoding::encode_varint(length.into(), &mut message);
        message.extend(content);
        message
    };
    let group = [0x9b, 0x06, 0x9c, 0x06];
    let inner = nested(0x0a, nested(0x12, [&group[..], &spans].concat()));
    let outer = [&group[..], &nested(0x0a, nested(0x12, spans.clone()))].concat();
    for body in [inner, outer] {
        for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
            let response = post(&running, path, "application/x-protobuf", body.clone()).await;
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{path}");
            let answer = response.bytes().await.unwrap();
            assert_eq!(answer[..2], [0x08, 3], "the code is INVALID_ARGUMENT");
            assert!(String::from_utf8_lossy(&answer).contains("it has a group"), "{answer:?}");
        }
    }
}

/// Sends spans, and returns the number of rejected spans and the reasons.
async fn rejected(running: &Running, spans: Vec<Span>) -> (i64, String) {
    let response = post(running, "/v1/traces", "application/x-protobuf", traces(spans).encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    (partial.rejected_spans, partial.error_message)
}

/// Returns exceptions with different messages: equal ones of one span count once.
fn distinct_events(count: usize) -> Vec<Event> {
    let event = |number| Event {
        attributes: exception("shop.cart.CartError", &format!("no book {number}"), ""),
        ..Event::default()
    };
    (0..count).map(event).collect()
}

async fn times_seen(running: &Running) -> u64 {
    let list = running.ask("errors/").await;
    list["errors"].as_array().unwrap().iter().map(|error| error["times_seen"].as_u64().unwrap()).sum()
}

#[tokio::test]
async fn exceptions_of_one_span_are_bounded() {
    let running = Running::start().await;
    let mut span = request_span();
    span.attributes.push(text("http.request.header.cookie", &"ü".repeat(1 << 19)));
    span.events = distinct_events(10_000);
    let (count, reason) = rejected(&running, vec![span]).await;
    assert_eq!((count, reason.contains("more than 100 exceptions")), (0, true), "{reason}");
    running.drained().await;
    assert_eq!(times_seen(&running).await, 100);
    let refused = &running.ask("intake/?range=1h").await["refused"];
    assert_eq!(refused[0]["reason"], "too_many_exceptions");
    assert_eq!(refused[0]["count"], 9_900);
}

#[tokio::test]
async fn errors_that_share_large_values_are_bounded_by_their_bytes() {
    let running = Running::start().await;
    let mut span = request_span();
    let header = |number| text(&format!("http.request.header.x-{number}"), &"x".repeat(16_000));
    span.attributes.extend((0..100).map(header));
    span.events = distinct_events(100);
    let (count, reason) = rejected(&running, vec![span]).await;
    assert_eq!((count, reason.contains("too much space")), (0, true), "{reason}");
    running.drained().await;
    // The request has 1.6 MB, so that its errors take at most 15 MB.
    let seen = times_seen(&running).await;
    assert!((1..10).contains(&seen), "{seen}");
    assert_eq!(transaction(&running).await["count"], 1, "the span itself is stored");
}

#[tokio::test]
async fn exceptions_are_items_of_a_request() {
    let running = Running::start().await;
    let bare = Event { attributes: vec![text("exception.type", "Error")], ..Event::default() };
    let spans: Vec<Span> = (0..250_u32)
        .map(|id| Span {
            trace_id: vec![1; 16],
            span_id: [id.to_be_bytes(), [1; 4]].concat(),
            parent_span_id: vec![9; 8],
            events: vec![bare.clone(); 100],
            ..Span::default()
        })
        .collect();
    // 198 spans have all of their exceptions, and the next one has one.
    let (count, reason) = rejected(&running, spans).await;
    assert_eq!((count, reason.contains("more than 20000 spans and errors")), (51, true), "{reason}");
}

/// Returns the length of the longest text in a value, in characters.
fn longest(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.iter().map(longest).max().unwrap_or(0),
        Value::Object(map) => map.iter().map(|(key, value)| key.chars().count().max(longest(value))).max().unwrap_or(0),
        _ => 0,
    }
}

#[tokio::test]
async fn long_texts_are_cut_as_those_of_agents_are() {
    let running = Running::start().await;
    let long = "ü".repeat(50_000);
    let stack = format!("Traceback\n  File \"/{long}.py\", line 1, in {long}\n    {long}\nE: x\n");
    let mut request = request_span();
    request.name.clone_from(&long);
    request.attributes[1] = text("http.route", &long);
    request.attributes.extend([
        text("url.full", &format!("http://{long}")),
        text("user.id", &long),
        text("http.request.header.a", &long),
        text(&format!("http.request.header.{long}"), "b"),
        text(&long, &long),
    ]);
    request.events = vec![Event { attributes: exception(&long, &long, &stack), ..Event::default() }];
    let mut query = query_span();
    query.attributes[1] = text("db.statement", &long);
    query.attributes.extend((0..100).map(|number| text(&format!("a{number}"), &long[..5_000])));
    export(&running, vec![request, query]).await;
    running.drained().await;
    let transaction = transaction(&running).await;
    assert_eq!(longest(&transaction["name"]), 512, "{transaction}");
    assert!(transaction["name"].as_str().unwrap().ends_with('…'));
    let sample = sample(&running).await;
    let context = &sample["context"];
    let lengths = ["http", "user", "extra"].map(|part| longest(&context[part]));
    assert_eq!(lengths, [16_384, 16_384, 2_000]);
    let extra = &sample["spans"][0]["extra"];
    assert!(extra.to_string().len() <= 16 << 10, "{}", extra.to_string().len());
    assert!(extra["sql"].as_str().unwrap().ends_with('…') && extra["…"].as_u64().unwrap() > 90, "{extra}");
    let list = running.ask("errors/").await;
    let error = running.ask(&format!("errors/{}/", list["errors"][0]["number"])).await;
    let report = &error["occurrence"]["report"];
    let frame = &report["stacktrace"]["frames"][0];
    let lengths = ["function", "abs_path", "filename", "context_line"].map(|part| longest(&frame[part]));
    assert_eq!(lengths, [1_024, 1_024, 1_024, 1_000]);
    let thrown = &report["exception"];
    assert_eq!([longest(&thrown["type"]), longest(&thrown["value"])], [300, 10_000]);
    assert_eq!(longest(&report["http"]), 16_384);

    let mut record = log(17, &long);
    record.attributes = vec![text("code.file.path", &long), text("code.function.name", &long)];
    let mut batch = logs(vec![record]);
    batch.resource_logs[0].scope_logs[0].scope.as_mut().unwrap().name = long;
    post(&running, "/v1/logs", "application/x-protobuf", batch.encode_to_vec()).await;
    running.drained().await;
    let list = running.ask("errors/").await;
    let numbers = list["errors"].as_array().unwrap().iter().map(|error| error["number"].as_u64().unwrap());
    let report = &running.ask(&format!("errors/{}/", numbers.max().unwrap())).await["occurrence"]["report"];
    assert_eq!([longest(&report["message"]), longest(&report["logger"])], [10_000, 200]);
    assert_eq!(longest(&report["stacktrace"]), 1_024);
}

#[tokio::test]
async fn rejections_have_the_form_of_the_request() {
    let running = Running::start().await;
    let cases = [
        ("application/json", b"{".to_vec(), 400, "not JSON of OTLP"),
        ("application/x-protobuf", vec![0x0a, 0xff], 400, "not protobuf of OTLP"),
        ("text/plain", Vec::new(), 415, "application/x-protobuf"),
    ];
    for (media_type, body, expected, reason) in cases {
        for path in ["/v1/traces", "/v1/logs", "/v1/metrics"] {
            let response = post(&running, path, media_type, body.clone()).await;
            assert_eq!(response.status(), expected, "{media_type} {path}");
            let is_protobuf = response.headers()["content-type"] == "application/x-protobuf";
            assert_eq!(is_protobuf, media_type == "application/x-protobuf");
            let answer = String::from_utf8_lossy(&response.bytes().await.unwrap()).into_owned();
            assert!(answer.contains(reason), "{answer}");
            assert!(is_protobuf || serde_json::from_str::<Value>(&answer).unwrap()["code"] == 3, "{answer}");
        }
    }
    let got = running.get("/v1/traces").await;
    assert_eq!((got.status(), &got.headers()["allow"]), (StatusCode::METHOD_NOT_ALLOWED, &"POST".parse().unwrap()));
    assert_eq!(got.headers()["content-type"], "application/json");
    let url = format!("{}/v1/traces", running.server.url());
    let unsigned = running.client.post(url).header("content-type", "application/json").body("{}").send().await.unwrap();
    assert_eq!(
        (unsigned.status(), &unsigned.headers()["www-authenticate"]),
        (StatusCode::UNAUTHORIZED, &"Bearer".parse().unwrap())
    );
}

#[tokio::test]
async fn large_and_heavy_bodies_are_rejected() {
    let running = Running::start_with(|config| {
        config.intake.body = 1 << 20;
        config.intake.inflated = 4 << 20;
    })
    .await;
    let response = post(&running, "/v1/traces", "application/json", vec![b' '; (1 << 20) + 1]).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let empty = vec![Span::default(); 400_000];
    let response = post(&running, "/v1/traces", "application/x-protobuf", traces(empty).encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let spans: Vec<Span> = (0..20_010_u32)
        .map(|id| Span {
            trace_id: vec![1; 16],
            span_id: [id.to_be_bytes(), [1; 4]].concat(),
            parent_span_id: vec![9; 8],
            ..Span::default()
        })
        .collect();
    let body = traces(spans).encode_to_vec();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&body).unwrap();
    let request =
        running.client.post(format!("{}/v1/traces", running.server.url())).bearer_auth(&running.app.secret_token);
    let request = request.header("content-type", "application/x-protobuf").header("content-encoding", "gzip");
    let response = request.body(encoder.finish().unwrap()).send().await.unwrap();
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    assert_eq!(answer.partial_success.unwrap().rejected_spans, 10);
}

//! The limits that protect the server and the neighbours of an app: rates, quotas, free space, the queue.

use std::collections::BTreeMap;
use std::time::Duration;

use opbeat_server::ServerConfig;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use prost::Message;
use reqwest::header::ORIGIN;
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};
use tonic::Code;

use crate::otlp::{channel, post, queries, request_span, traces, traces_of, with_token};
use crate::running::{Running, intake_url};

const PROTOBUF: &str = "application/x-protobuf";

/// The longest wait in seconds that an answer states. A sender that owes thousands of events at one event a second gets it,
/// however slow the test is.
const MAX_WAIT: &str = "3600";

/// Returns a body with some events: counts of transactions with different names.
fn counts(events: usize) -> String {
    let group = |event: usize| json!({"transaction": format!("GET /{event}"), "result": 200, "durations": [1.0]});
    json!({"transactions": (0..events).map(group).collect::<Vec<_>>(), "traces": []}).to_string()
}

/// Sets the rate of events of each app to one a second, of which one is saved up.
fn one_event(config: &mut ServerConfig) {
    config.intake.events_per_second = 1;
    config.intake.rate_burst = Duration::from_secs(1);
}

fn retry_after(response: &Response) -> &str {
    response.headers()["retry-after"].to_str().unwrap()
}

async fn message(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    body["error_message"].as_str().unwrap().to_owned()
}

async fn check_refused(running: &Running, body: String, (status, wait): (StatusCode, &str), text: &str) {
    let response = running.post("transactions", body).await;
    assert_eq!((response.status(), retry_after(&response)), (status, wait));
    let message = message(response).await;
    assert!(message.contains(text), "{message}");
}

/// Stops the server, by which the counts of refusals are stored, and starts it with the default limits. Returns the counts
/// that the API and the page show, after a check that both explain each reason.
async fn refused_after_restart(running: Running) -> (Running, BTreeMap<String, u64>) {
    let running = running.restart().await;
    let report = running.ask("intake/?range=1h").await;
    let page = running.page("/acme/shop/intake/").await;
    let mut counts = BTreeMap::new();
    for note in report["refused"].as_array().unwrap() {
        let (reason, explanation) = (note["reason"].as_str().unwrap(), note["explanation"].as_str().unwrap());
        assert!(!explanation.starts_with("The request is not valid"), "{reason} is not explained");
        assert!(page.contains(&format!("<td class=\"name\">{}</td>", reason.replace('_', " "))), "{reason}: {page}");
        assert!(page.contains(explanation.split(['`', '\'']).next().unwrap()), "{explanation}: {page}");
        counts.insert(reason.to_owned(), note["count"].as_u64().unwrap());
    }
    (running, counts)
}

fn expected<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
    counts.into_iter().map(|(reason, count)| (reason.to_owned(), count)).collect()
}

#[tokio::test]
async fn an_app_beyond_its_rate_of_events_waits_and_its_neighbour_does_not() {
    let running = Running::start_with(one_event).await;
    let neighbour = running.server.create_app("acme", "neighbour").await.unwrap();
    // More than the rate, so that the app owes thousands of seconds.
    assert_eq!(running.post("transactions", counts(5_000)).await.status(), StatusCode::ACCEPTED);
    let refused = (StatusCode::TOO_MANY_REQUESTS, MAX_WAIT);
    check_refused(&running, counts(1), refused, "This app sends more than 1 events a second").await;
    let error = running.post("errors", r#"{"message": "no books"}"#).await;
    assert_eq!((error.status(), retry_after(&error)), refused);
    let request = running.client.post(intake_url(&neighbour, "transactions")).bearer_auth(&neighbour.secret_token);
    assert_eq!(request.body(counts(1)).send().await.unwrap().status(), StatusCode::ACCEPTED);
    let (running, refused) = refused_after_restart(running).await;
    assert_eq!(refused, expected([("event_rate", 2)]));
    assert_eq!(running.ask("errors/").await["total"], 0, "nothing of a refused body is stored");
}

#[tokio::test]
async fn an_app_beyond_its_rate_of_bytes_waits() {
    let running = Running::start_with(|config| {
        config.intake.bytes_per_second = 1;
        config.intake.rate_burst = Duration::from_secs(1);
    })
    .await;
    assert_eq!(running.post("transactions", counts(1_000)).await.status(), StatusCode::ACCEPTED);
    let refused = (StatusCode::TOO_MANY_REQUESTS, MAX_WAIT);
    check_refused(&running, counts(1), refused, "This app sends more than 1 bytes a second").await;
    assert_eq!(refused_after_restart(running).await.1, expected([("byte_rate", 1)]));
}

#[tokio::test]
async fn a_quota_counts_events_and_its_refusals() {
    let running = Running::start_with(|config| {
        config.intake.quota_events = Some(3);
        // Two days, so that the test can run over midnight.
        config.intake.quota_days = 2;
    })
    .await;
    let neighbour = running.server.create_app("acme", "neighbour").await.unwrap();
    let accept = async |events| assert_eq!(running.post("transactions", counts(events)).await.status(), 202);
    let refuse = async || {
        let response = running.post("transactions", counts(2)).await;
        assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
        let wait: u64 = retry_after(&response).parse().unwrap();
        assert!((1..=86_400).contains(&wait), "until the next day: {wait}");
        let message = message(response).await;
        assert!(message.contains("has used up its quota of 3 events in 2 days"), "{message}");
    };
    accept(2).await;
    refuse().await;
    accept(1).await;
    refuse().await;
    refuse().await;
    let request = running.client.post(intake_url(&neighbour, "transactions")).bearer_auth(&neighbour.secret_token);
    assert_eq!(request.body(counts(3)).send().await.unwrap().status(), StatusCode::ACCEPTED);
    let (running, refused) = refused_after_restart(running).await;
    assert_eq!(refused, expected([("quota", 3)]));
    assert_eq!(running.ask("transactions/").await["transactions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_body_that_is_not_stored_does_not_count_against_the_quota() {
    let running = Running::start_with(|config| {
        config.intake.quota_events = Some(50);
        config.queue_limits.backlog = 4_000;
    })
    .await;
    let refused = (StatusCode::SERVICE_UNAVAILABLE, "5");
    for _ in 0..3 {
        check_refused(&running, counts(50), refused, "too much data of this app waits to be stored").await;
    }
    assert_eq!(running.post("transactions", counts(1)).await.status(), StatusCode::ACCEPTED);
    assert_eq!(refused_after_restart(running).await.1, expected([("app_queue_full", 3)]));
}

#[tokio::test]
async fn exporters_of_opentelemetry_are_told_when_to_send_again() {
    let running = Running::start_with(one_event).await;
    let many = traces(queries(5_000, 1)).encode_to_vec();
    assert_eq!(post(&running, "/v1/traces", PROTOBUF, many).await.status(), StatusCode::OK);
    let response = post(&running, "/v1/traces", PROTOBUF, traces(vec![request_span()]).encode_to_vec()).await;
    assert_eq!((response.status(), retry_after(&response)), (StatusCode::TOO_MANY_REQUESTS, MAX_WAIT));
    let mut client = TraceServiceClient::new(channel(&running).await);
    let refused = client.export(with_token(&running, traces(vec![request_span()]))).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert!(refused.message().contains("more than 1 events a second"), "{}", refused.message());
    let contains = |part: &[u8]| refused.details().windows(part.len()).any(|window| window == part);
    // The field of the delay's seconds, and 3600 as a number of protobuf.
    assert!(contains(b"google.rpc.RetryInfo") && contains(&[0x08, 0x90, 0x1c]), "{:?}", refused.details());
    assert_eq!(refused_after_restart(running).await.1, expected([("event_rate", 2)]));
}

#[tokio::test]
async fn a_service_beyond_its_rate_does_not_stop_the_others_of_a_collector() {
    let running = Running::start_with(one_event).await;
    running.command(&["org", "services", "acme", "--create"]).await;
    let many = traces(queries(5_000, 1)).encode_to_vec();
    assert_eq!(post(&running, "/v1/traces", PROTOBUF, many).await.status(), StatusCode::OK);
    let mut mixed = traces(vec![request_span(), request_span()]);
    mixed.resource_spans.extend(traces_of("checkout", vec![request_span()]).resource_spans);
    let response = post(&running, "/v1/traces", PROTOBUF, mixed.encode_to_vec()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let answer = ExportTraceServiceResponse::decode(response.bytes().await.unwrap()).unwrap();
    let partial = answer.partial_success.unwrap();
    assert_eq!(partial.rejected_spans, 2);
    assert!(partial.error_message.contains("more than 1 events a second"), "{}", partial.error_message);
    running.drained().await;
    assert_eq!(running.ask_of("checkout", "transactions/").await["transactions"][0]["count"], 1);
    let (running, refused) = refused_after_restart(running).await;
    assert_eq!(refused, expected([("event_rate", 1)]));
    assert_eq!(running.ask("transactions/").await["transactions"], json!([]));
}

#[tokio::test]
async fn an_almost_full_disk_refuses_all_data_before_anything_is_written() {
    let running = Running::start_with(|config| config.intake.min_free_bytes = Some(u64::MAX)).await;
    check_refused(&running, counts(1), (StatusCode::SERVICE_UNAVAILABLE, "30"), "disk of this server is almost full")
        .await;
    let response = post(&running, "/v1/traces", PROTOBUF, traces(vec![request_span()]).encode_to_vec()).await;
    assert_eq!((response.status(), retry_after(&response)), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    let mut client = TraceServiceClient::new(channel(&running).await);
    let refused = client.export(with_token(&running, traces(vec![request_span()]))).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    let health = running.get("/healthz").await;
    assert_eq!(health.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(health.headers().contains_key("retry-after"));
    let health: Value = health.json().await.unwrap();
    assert_eq!((&health["status"], &health["disk"]["state"]), (&json!("rejecting"), &json!("low")));
    assert!(health["messages"][0].as_str().unwrap().contains("almost full"), "{health}");
    let (running, refused) = refused_after_restart(running).await;
    assert_eq!(refused, expected([("disk_space", 3)]));
    assert_eq!(running.ask("transactions/").await["transactions"], json!([]));
}

#[tokio::test]
async fn refusals_of_all_kinds_are_counted_and_explained() {
    let running = Running::start_with(|config| {
        config.intake.body = 1 << 20;
        config.intake.client_side_rate = 0;
        config.intake.client_side_burst = 1;
    })
    .await;
    let other = running.server.create_app("acme", "other").await.unwrap();
    running.command(&["app", "origins", "acme/shop", "--add", "*"]).await;
    let browser = async || {
        let request = running.client.post(running.intake("client-side/errors")).header(ORIGIN, "https://shop.example");
        request.body(r#"{"message": "a"}"#).send().await.unwrap().status()
    };
    assert_eq!([browser().await, browser().await], [StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS]);
    let cut = [0x78, 0x9c, 1, 2, 3].to_vec();
    let bodies = [b"no json".to_vec(), b"[]".to_vec(), b"{".to_vec(), b"{}".to_vec(), cut, vec![b' '; (1 << 20) + 1]];
    for body in bodies {
        assert!(running.post("errors", body).await.status().is_client_error());
    }
    let request = running.client.post(intake_url(&other, "errors")).bearer_auth(&running.app.secret_token);
    assert_eq!(request.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    assert_eq!(post(&running, "/v1/traces", "text/plain", Vec::new()).await.status(), 415);
    let (_, refused) = refused_after_restart(running).await;
    let reasons = ["content_type", "damaged", "no_content", "not_an_object", "not_json", "other_app"];
    let reasons = reasons.into_iter().chain(["too_large", "too_many", "truncated"]);
    assert_eq!(refused, reasons.map(|reason| (reason.to_owned(), 1)).collect());
}

#[tokio::test]
async fn a_quota_of_an_app_is_used_up_by_what_was_stored_before_a_restart() {
    let running = Running::start().await;
    let limits = running.command(&["app", "limits", "acme/shop"]).await;
    assert!(limits.starts_with("events-per-second default\n") && limits.ends_with("disk-bytes default\n"), "{limits}");
    assert_eq!(running.post("transactions", counts(3)).await.status(), StatusCode::ACCEPTED);
    running.drained().await;
    let limits = running.command(&["app", "limits", "acme/shop", "--quota-events", "3", "--quota-days", "2"]).await;
    assert!(limits.contains("quota-events 3\nquota-days 2\n"), "{limits}");
    let running = running.restart().await;
    let response = running.post("transactions", counts(1)).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    let message = message(response).await;
    assert!(message.contains("has used up its quota of 3 events in 2 days"), "{message}");
    let limits =
        running.command(&["app", "limits", "acme/shop", "--default", "quota-events", "--disk-bytes", "1MiB"]).await;
    assert!(
        limits.contains("quota-events default\nquota-days 2\n") && limits.contains("disk-bytes 1048576"),
        "{limits}"
    );
    let running = running.restart().await;
    assert_eq!(running.post("transactions", counts(1)).await.status(), StatusCode::ACCEPTED);
}

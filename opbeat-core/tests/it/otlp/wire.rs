//! The messages for each kind of record.

use std::io;

use insta::assert_snapshot;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::{Outcome, TraceParent};
use opbeat_core::{Agent, Level, User};
use serde_json::Value as Json;

use super::receiver::{attributes, items, push_attributes, requests, start, tree};
use crate::PATIENCE;
use crate::traces::TRACE;

fn request(agent: &Agent) -> HttpTransaction {
    let mut transaction = HttpTransaction::begin(agent, "web.test", "GET", |request| {
        request.set_line("GET", "/books/1?page=2&password=hunter2");
        request.push_header("host", b"shop.example:8080");
        request.push_header("user-agent", b"test/1");
        request.push_header("content-length", b"12");
        request.set_client("192.0.2.7".parse().ok());
    });
    transaction.set_route_name(route("GET", "/books/{id}"));
    transaction
}

fn respond(mut transaction: HttpTransaction, status: u16) {
    transaction.start_response(status);
    transaction.complete();
}

#[test]
fn a_request_is_a_server_span_with_its_queries_and_calls() {
    let (agent, server) = start([], &[]);
    let mut transaction = request(&agent);
    {
        let _entered = transaction.enter();
        opbeat_core::current().set_user(User::new(42).username("ada").email("ada@example.com"));
        opbeat_core::current().set_tag("plan", "basic");
        let outer = opbeat_core::span("load the book", "app.load");
        {
            let query = opbeat_core::span("SELECT FROM books", "db.postgresql.query");
            query.set_extra("sql", "SELECT * FROM books WHERE id = ?");
            query.set_extra("rows", 1);
        }
        drop(outer);
        {
            let call = opbeat_core::span("GET prices.example", "ext.http.reqwest");
            call.set_extra("url", "https://prices.example/v1/prices");
            call.set_extra("method", "GET");
            call.set_extra("status", 503);
            call.set_extra("retries", 2);
        }
        drop(opbeat_core::span("orders", "messaging.rabbitmq.publish"));
        drop(opbeat_core::span("wait for a connection", "db.pool.wait"));
        drop(opbeat_core::span("COMMIT", "db.sqlite.transaction"));
        let call = opbeat_core::span("shop.Stock/Reserve", "ext.grpc.tonic");
        call.set_extra("error", "unavailable");
        drop(call);
        drop(opbeat_core::span("book.html", "template.askama"));
    }
    respond(transaction, 200);
    agent.flush(PATIENCE).unwrap();
    let spans = items(&server, "/v1/traces");
    assert_snapshot!("otlp_request", tree(&spans));
    server.assert_never_received("hunter2");
    assert!(items(&server, "/v1/logs").is_empty());
}

#[test]
fn combined_spans_keep_their_count_and_the_line_of_an_n_plus_one() {
    let (agent, server) = start([], &[]);
    let job = agent.begin_transaction("task.test");
    {
        let _entered = job.enter();
        for number in 0..510 {
            let name = if number < 20 { "SELECT FROM authors".to_owned() } else { format!("SELECT FROM t{number}") };
            drop(opbeat_core::span(name, "db.sqlite.query").leaf());
        }
    }
    job.end("shop.test", "ok");
    agent.flush(PATIENCE).unwrap();
    let spans = items(&server, "/v1/traces");
    let query = attributes(&spans[1]);
    let value = |key: &str| query.get(key).map_or("", String::as_str);
    assert_eq!((value("db.query.summary"), value("opbeat.count")), ("SELECT authors", "20"));
    assert_eq!(value("opbeat.n_plus_one"), "true");
    assert!(value("opbeat.total_ms").parse::<f64>().unwrap() > 0.0);
    assert!(value("code.stacktrace").contains("combined_spans_keep_their_count"), "{query:#?}");
    let ids: std::collections::BTreeSet<String> = spans.iter().map(|span| ids(span).1).collect();
    assert_eq!(ids.len(), spans.len(), "each span has its own id");
    let whole = attributes(&spans[0]);
    let dropped = whole.get("opbeat.dropped.db.sqlite.query.count").map(String::as_str);
    assert_eq!(dropped, whole.get("opbeat.dropped_spans").map(String::as_str));
}

#[test]
fn an_error_is_an_event_of_the_span_of_its_request() {
    let (agent, server) = start([], &[]);
    let mut transaction = request(&agent);
    {
        let _entered = transaction.enter();
        opbeat_core::capture_error(&io::Error::other("no books"));
    }
    respond(transaction, 500);
    agent.flush(PATIENCE).unwrap();
    let spans = items(&server, "/v1/traces");
    assert_snapshot!("otlp_error", tree(&spans));
    let stack = attributes(&spans[0]["events"][0]).remove("exception.stacktrace").unwrap();
    let mut lines = stack.lines().filter(|line| line.contains("an_error_is_an_event_of_the_span_of_its_request"));
    let number: usize = lines.next().and_then(|line| line.split_once(':')).unwrap().0.trim().parse().unwrap();
    assert!(number < 10, "the innermost call is first: {stack}");
    assert!(stack.contains("             at "), "{stack}");
    assert!(items(&server, "/v1/logs").is_empty(), "the error is not sent a second time");
}

#[test]
fn an_error_outside_of_transactions_is_a_log_record() {
    let (agent, server) = start([], &[]);
    agent.capture_error(&io::Error::other("no disk"));
    agent.capture_message(Level::Warning, "little memory");
    agent.flush(PATIENCE).unwrap();
    let mut text = String::new();
    for record in items(&server, "/v1/logs") {
        text += &format!("{} {} {}\n", record["severityNumber"], record["severityText"], record["body"]);
        push_attributes(&mut text, "  ", &record);
        assert!(record["traceId"].is_null());
    }
    assert_snapshot!("otlp_logs", text);
}

#[test]
fn an_error_before_the_end_of_its_transaction_is_a_log_record_in_its_trace() {
    let (agent, server) = start([], &[]);
    let mut transaction = request(&agent);
    let sent = {
        let _entered = transaction.enter();
        opbeat_core::capture_error(&io::Error::other("no books"));
        opbeat_core::current().trace_parent().unwrap()
    };
    // The flush does not wait for the end of the request.
    agent.flush(PATIENCE).unwrap();
    let record = items(&server, "/v1/logs").remove(0);
    assert_eq!(ids(&record), ids_of(sent));
    respond(transaction, 500);
    agent.flush(PATIENCE).unwrap();
    let span = items(&server, "/v1/traces").remove(0);
    assert_eq!(ids(&span), ids(&record));
}

#[test]
fn a_span_has_the_ids_that_calls_of_other_services_received() {
    let (agent, server) = start([], &[]);
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        request.push_header("traceparent", TRACE.as_bytes());
    });
    let mut sent = Vec::new();
    {
        let _entered = transaction.enter();
        sent.push(opbeat_core::current().trace_parent().unwrap());
        let _outer = opbeat_core::span("outer", "app");
        sent.push(opbeat_core::current().trace_parent().unwrap());
        let _inner = opbeat_core::span("inner", "ext.http.test");
        sent.push(opbeat_core::current().trace_parent().unwrap());
    }
    respond(transaction, 200);
    agent.flush(PATIENCE).unwrap();
    let spans = items(&server, "/v1/traces");
    assert_eq!(spans.iter().map(ids).collect::<Vec<_>>(), sent.iter().copied().map(ids_of).collect::<Vec<_>>());
    let parent = TraceParent::parse(TRACE).unwrap();
    assert_eq!(spans[0]["parentSpanId"], format!("{:016x}", parent.parent_id));
    assert_eq!(spans[0]["flags"], 0x301, "the parent is remote, and the trace is sampled");
    assert_eq!(spans[1]["flags"], 0x101);
}

fn ids(item: &Json) -> (String, String) {
    (item["traceId"].as_str().unwrap().to_owned(), item["spanId"].as_str().unwrap().to_owned())
}

fn ids_of(sent: TraceParent) -> (String, String) {
    (format!("{:032x}", sent.trace_id), format!("{:016x}", sent.parent_id))
}

#[test]
fn jobs_are_internal_or_consumer_spans() {
    let (agent, server) = start([], &[]);
    agent.begin_transaction("task.alone").end("alone", "ok");
    let queued = agent.begin_transaction("task.queue");
    queued.set_trace_parent(TraceParent::parse(TRACE));
    queued.set_outcome(Outcome::ServerError);
    queued.end("queued", "failed");
    let request = request(&agent);
    let background = request.current().wrap_fn(|| drop(opbeat_core::span("later", "app")));
    respond(request, 200);
    // Work after the response is a job in the same trace.
    background();
    agent.flush(PATIENCE).unwrap();
    let mut spans = items(&server, "/v1/traces");
    spans.sort_by_key(|span| span["name"].to_string());
    let shown: Vec<_> =
        spans.iter().map(|span| format!("{} {} {}", span["name"], span["kind"], span["status"])).collect();
    let background = r#""it::otlp::wire::jobs_are_internal_or_consumer_spans" 1 null"#;
    let queued = r#""queued" 5 {"code":2,"message":"server_error"}"#;
    assert_eq!(shown, [r#""GET /books/{id}" 2 null"#, r#""alone" 1 null"#, background, r#""later" 1 null"#, queued]);
    assert_eq!(spans[2]["parentSpanId"], spans[0]["spanId"]);
    assert_eq!(spans[2]["traceId"], spans[0]["traceId"]);
}

#[test]
fn json_follows_the_mapping_of_otlp() {
    let variables = [
        ("OTEL_SERVICE_NAME", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,service.name=ignored,note=a%2Cb%20c"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
    ];
    let (agent, server) = start([], &variables);
    let job = agent.begin_transaction("task.test");
    job.set_extra("ratio", 0.5);
    job.set_extra("large", i64::MAX);
    job.set_extra("done", true);
    job.end("shop.test", "ok");
    agent.flush(PATIENCE).unwrap();
    let mut traces = requests(&server, "/v1/traces").remove(0).body;
    redact(&mut traces);
    assert_snapshot!("otlp_json_traces", format!("{traces:#}"));
    let mut metrics = requests(&server, "/v1/metrics").remove(0).body;
    redact(&mut metrics);
    let metric = &metrics["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
    assert_snapshot!("otlp_json_metrics", format!("{metric:#}"));
}

/// Replaces the values that differ in each run.
fn redact(json: &mut Json) {
    match json {
        Json::Array(items) => items.iter_mut().for_each(redact),
        Json::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &value) {
                    ("traceId" | "spanId", Json::String(id)) => *value = format!("[{} digits]", id.len()).into(),
                    ("startTimeUnixNano" | "endTimeUnixNano" | "timeUnixNano", Json::String(time)) => {
                        *value = format!("[{} digits]", time.len()).into();
                    }
                    ("sum" | "min" | "max", Json::Number(_)) => *value = "[number]".into(),
                    _ => redact(value),
                }
            }
            let is_random =
                map.get("key").is_some_and(|key| key == "service.instance.id" || key == "telemetry.sdk.version");
            if is_random {
                map.insert("value".to_owned(), "[varies]".into());
            }
        }
        _ => {}
    }
}

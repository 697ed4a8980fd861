//! The answers of receivers, and receivers that are away.

use std::time::{Duration, Instant};

use opbeat_core::Agent;
use opbeat_core::export::{FlushError, IntakeExporter};
use opbeat_core::record::Drops;
use opbeat_testing::{Reply, ScriptedServer};

use super::receiver::{config, exporter, items, requests, start};
use crate::PATIENCE;

const TRACES_ONLY: [(&str, &str); 2] = [("OTEL_METRICS_EXPORTER", "none"), ("OTEL_LOGS_EXPORTER", "none")];

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

#[test]
fn only_some_failures_are_worth_another_attempt() {
    for (status, is_kept) in [
        (429, true),
        (502, true),
        (503, true),
        (504, true),
        (308, true),
        (400, false),
        (401, false),
        (404, false),
        (413, false),
        (500, false),
    ] {
        let (agent, server) = start([Reply::Status(status, "")], &TRACES_ONLY);
        record_one(&agent);
        let reason = match agent.flush(PATIENCE) {
            Err(FlushError::Undelivered(reason)) if is_kept => reason,
            Err(FlushError::Rejected(reason)) if !is_kept => reason,
            other => panic!("{status}: {other:?}"),
        };
        assert!(reason.contains(&format!("responded with {status}")), "{reason}");
        agent.flush(PATIENCE).unwrap();
        assert_eq!(server.requests().len(), if is_kept { 2 } else { 1 }, "{status}");
        let drops = agent.diagnose().drops;
        assert_eq!((drops.samples, drops.rejected), if is_kept { (0, 0) } else { (1, 1) }, "{status}");
    }
}

#[test]
fn reasons_name_a_remedy() {
    let reason = |reply| {
        let (agent, server) = start([reply], &TRACES_ONLY);
        record_one(&agent);
        match agent.flush(PATIENCE) {
            Err(FlushError::Rejected(reason) | FlushError::Undelivered(reason)) => reason.replace(&server.url(), "URL"),
            other => panic!("{other:?}"),
        }
    };
    let reasons = [
        reason(Reply::Status(401, "")),
        reason(Reply::Status(404, "<html>not here</html>")),
        reason(Reply::Typed(400, "application/json", br#"{"code": 3, "message": "no spans."}"#)),
        reason(Reply::Status(503, "later")),
        reason(Reply::Close),
    ];
    insta::assert_snapshot!(reasons.join("\n"), @r#"
    the OTLP receiver at URL responded with 401 Unauthorized. Check OTEL_EXPORTER_OTLP_HEADERS
    the OTLP receiver at URL responded with 404 Not Found, for /v1/traces. Check OTEL_EXPORTER_OTLP_ENDPOINT; if it takes no traces, set OTEL_TRACES_EXPORTER to `none`
    the OTLP receiver at URL responded with 400 Bad Request: no spans
    the OTLP receiver at URL responded with 503 Service Unavailable: later. Data is kept in memory, up to a limit, and sent later
    the OTLP receiver at URL closed the connection without a response. See its log; data is kept in memory, up to a limit, and sent later; the application is not affected
    "#);
}

#[test]
fn partial_successes_are_counted() {
    let json = Reply::Typed(
        200,
        "application/json",
        br#"{"partialSuccess": {"rejectedSpans": "3", "errorMessage": "too old"}}"#,
    );
    let protobuf = Reply::Typed(200, "application/x-protobuf", b"\x0a\x0b\x08\x03\x12\x07too old");
    for (reply, protocol) in [(json, "http/json"), (protobuf, "http/protobuf")] {
        let [metrics, logs] = TRACES_ONLY;
        let (agent, server) = start([reply], &[metrics, logs, ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        record_one(&agent);
        let Err(FlushError::Rejected(reason)) = agent.flush(PATIENCE) else { panic!("a part was rejected") };
        assert!(reason.ends_with("rejected 3 items of the traces: too old"), "{reason}");
        assert_eq!(server.requests().len(), 1, "a request with a partial success is not sent again");
        assert_eq!((agent.diagnose().drops.spans, agent.diagnose().drops.samples), (3, 0));
    }
}

#[test]
fn impossible_numbers_of_rejected_items_overflow_no_sum() {
    for (body, counted) in [
        (br#"{"partialSuccess": {"rejectedSpans": "9223372036854775807"}}"#.as_slice(), 1_000_000),
        (br#"{"partialSuccess": {"rejectedSpans": "-1"}}"#, 0),
    ] {
        let replies = [(); 3].map(|()| Reply::Typed(200, "application/json", body));
        let [metrics, logs] = TRACES_ONLY;
        let (agent, _server) = start(replies, &[metrics, logs, ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")]);
        for _ in 0..3 {
            record_one(&agent);
            assert_eq!(agent.flush(PATIENCE).is_err(), counted > 0);
        }
        assert_eq!(agent.diagnose().drops.spans, 3 * counted);
    }
}

#[test]
fn a_warning_is_no_rejection() {
    let warning = Reply::Typed(200, "application/json", br#"{"partialSuccess": {"errorMessage": "old version"}}"#);
    let (agent, _server) = start([warning], &TRACES_ONLY);
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    assert!(agent.diagnose().drops.is_empty());
}

#[test]
fn the_receiver_chooses_the_delay() {
    let (agent, server) = start([Reply::RetryAfter(0)], &TRACES_ONLY);
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    // Without the header, the next attempt would come after 0.8 s at the earliest.
    let start = Instant::now();
    let _ = server.wait_for(2, PATIENCE);
    assert!(start.elapsed() < Duration::from_millis(700), "{:?}", start.elapsed());
}

#[test]
fn an_undelivered_batch_is_sent_with_the_same_spans() {
    let (agent, server) = start([Reply::Close, Reply::Status(503, "")], &[]);
    record_one(&agent);
    for _ in 0..2 {
        assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    }
    agent.flush(PATIENCE).unwrap();
    let spans = items(&server, "/v1/traces");
    assert_eq!(spans.len(), 3);
    assert!(spans.iter().all(|span| *span == spans[0]));
    assert_eq!(requests(&server, "/v1/metrics").len(), 1, "metrics wait for the same receiver");
}

#[test]
fn a_silent_receiver_is_given_up_after_the_timeout() {
    let [metrics, logs] = TRACES_ONLY;
    let (agent, _server) = start([Reply::Silence], &[metrics, logs, ("OTEL_EXPORTER_OTLP_TIMEOUT", "50")]);
    record_one(&agent);
    let start = Instant::now();
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("no response came") };
    assert!(reason.contains("did not respond within 50 ms"), "{reason}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_dead_receiver_of_one_signal_does_not_stop_the_others() {
    let server = ScriptedServer::start([]);
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces")];
    let agent = Agent::with_exporter(&config(), exporter(&server.url(), &variables));
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    assert_eq!(requests(&server, "/v1/metrics").len(), 1);
}

#[test]
fn an_opbeat_server_receives_its_data_beside_a_dead_receiver() {
    let opbeat = ScriptedServer::start([]);
    let intake = IntakeExporter::new(&opbeat.config()).unwrap();
    let otlp = exporter("http://127.0.0.1:1", &[]);
    let agent = Agent::with_exporters(&config(), vec![Box::new(otlp), Box::new(intake)]);
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
    assert_eq!(opbeat.requests()[0].body["transactions"][0]["transaction"], "test");
    assert_eq!(agent.diagnose().drops, Drops::default());
}

//! The OTLP exporter of this project's own agent.

use std::collections::BTreeMap;
use std::io;

use opbeat_core::export::OtlpExporter;
use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::{Agent, Config};
use serde_json::Value;

use crate::running::{PATIENCE, Running};

/// Records a failed request with a query and a call, and a job.
fn record(agent: &Agent) {
    let mut request = HttpTransaction::begin(agent, "web.test", "GET", |request| {
        request.set_line("GET", "/books/1");
        request.push_header("host", b"shop.example");
    });
    request.set_route_name(route("GET", "/books/{id}"));
    {
        let _entered = request.enter();
        let query = opbeat_core::span("SELECT FROM books", "db.sqlite.query");
        query.set_extra("sql", "SELECT * FROM books WHERE id = ?");
        drop(query);
        let call = opbeat_core::span("GET prices.example", "ext.http.reqwest");
        call.set_extra("url", "https://prices.example/v1/prices");
        drop(call);
        opbeat_core::capture_error(&io::Error::other("no books"));
    }
    request.start_response(500);
    request.complete();
    agent.begin_transaction("task.mail").end("shop.mail", "ok");
}

/// Exports with one encoding to a new server. Returns it after it has stored everything.
async fn exported(protocol: &'static str) -> Running {
    let running = Running::start().await;
    let authorization = format!("authorization=Bearer%20{}", running.app.secret_token);
    let variables = BTreeMap::from([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", running.app.server_url.clone()),
        ("OTEL_EXPORTER_OTLP_HEADERS", authorization),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol.to_owned()),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip".to_owned()),
        ("OTEL_SERVICE_NAME", "shop".to_owned()),
    ]);
    let delivered = tokio::task::spawn_blocking(move || {
        let config = Config::default();
        let exporter = OtlpExporter::from_variables(&config, |name| variables.get(name).cloned()).unwrap();
        let agent = Agent::with_exporter(&config, exporter);
        record(&agent);
        (agent.flush(PATIENCE), agent.diagnose().drops)
    });
    let (flushed, drops) = delivered.await.unwrap();
    flushed.unwrap();
    assert!(drops.is_empty(), "{drops}");
    running.drained().await;
    running
}

#[tokio::test]
async fn exported_transactions_are_shown_with_their_spans_and_errors() {
    for protocol in ["http/protobuf", "http/json"] {
        let running = exported(protocol).await;
        let list = running.ask("transactions/?range=1h").await;
        let mut shown: Vec<String> = list["transactions"].as_array().unwrap().iter().map(summary).collect();
        shown.sort();
        assert_eq!(shown, [r#""GET /books/{id}" "request" 1 {"500":1}"#, r#""shop.mail" "job" 1 {"ok":1}"#]);
        let request = list["transactions"].as_array().unwrap().iter().find(|one| one["name"] == "GET /books/{id}");
        let id = &request.unwrap()["id"];
        let samples = running.ask(&format!("transactions/{id}/samples/?range=1h")).await;
        let sample = running.ask(&format!("transactions/{id}/samples/{}/", samples[0]["id"])).await;
        let spans: Vec<String> = sample["spans"]
            .as_array()
            .unwrap()
            .iter()
            .map(|span| format!("{} {} {}", span["depth"], span["kind"], span["signature"]))
            .collect();
        assert_eq!(spans, [r#"0 "db.sqlite.query" "SELECT books""#, r#"0 "ext.http" "GET prices.example""#]);
        let errors = running.ask("errors/").await;
        let group = &errors["errors"][0];
        assert_eq!((errors["total"].as_u64(), group["times_seen"].as_u64()), (Some(1), Some(1)), "{errors:#}");
        assert_eq!(group["message"], "no books");
        let detail = running.ask(&format!("errors/{}/", group["number"])).await;
        let report = &detail["occurrence"]["report"];
        let frames = report["stacktrace"]["frames"].as_array().unwrap();
        let own = frames.iter().rfind(|frame| frame["function"] == "it::otlp_export::record").unwrap();
        assert!(own["filename"].as_str().unwrap().ends_with("opbeat-server/tests/it/otlp_export.rs"), "{report:#}");
        assert_eq!(own["in_app"], true);
    }
}

fn summary(transaction: &Value) -> String {
    format!("{} {} {} {}", transaction["name"], transaction["kind"], transaction["count"], transaction["results"])
}

#[tokio::test]
async fn a_wrong_token_is_named() {
    let running = Running::start().await;
    let url = running.app.server_url.clone();
    let flushed = tokio::task::spawn_blocking(move || {
        let variables = BTreeMap::from([
            ("OTEL_EXPORTER_OTLP_ENDPOINT", url),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20wrong".to_owned()),
        ]);
        let config = Config::default();
        let exporter = OtlpExporter::from_variables(&config, |name| variables.get(name).cloned()).unwrap();
        let agent = Agent::with_exporter(&config, exporter);
        agent.begin_transaction("task.mail").end("shop.mail", "ok");
        agent.flush(PATIENCE).unwrap_err().to_string()
    });
    let reason = flushed.await.unwrap();
    assert!(reason.contains("responded with 401"), "{reason}");
    assert!(reason.contains("Check OTEL_EXPORTER_OTLP_HEADERS"), "{reason}");
}

//! OpenTelemetry's types for Python.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value as Json;

use crate::program::{Program, installed, sources};
use crate::shop::{exporter, run};

fn start() -> Program {
    let environment = installed("python");
    let mut command = Command::new(environment.join("bin/python"));
    command.arg(sources().join("python/receive.py")).env("PYTHONDONTWRITEBYTECODE", "1");
    Program::start(command)
}

/// Exports everything in both encodings. Returns the accounts of the requests, sorted by path and content type.
fn accounts(program: &Program) -> Vec<Json> {
    let url = program.url();
    let json = [("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")];
    run(vec![exporter(&url, &[]), exporter(&url, &json)]);
    let mut accounts: Vec<Json> = (0..6).map(|_| program.account()).collect();
    accounts.sort_by_key(|account| (account["path"].to_string(), account["content_type"].to_string()));
    for account in &accounts {
        assert!(account["error"].is_null(), "{account}");
    }
    accounts
}

#[test]
fn both_encodings_have_the_same_content() {
    let program = start();
    let accounts = accounts(&program);
    let summary: Vec<String> = accounts
        .iter()
        .map(|account| format!("{} {} {}", account["path"], account["content_type"], account["encoding"]))
        .collect();
    insta::assert_snapshot!(summary.join("\n"), @r#"
    "/v1/logs" "application/json" "gzip"
    "/v1/logs" "application/x-protobuf" null
    "/v1/metrics" "application/json" "gzip"
    "/v1/metrics" "application/x-protobuf" null
    "/v1/traces" "application/json" "gzip"
    "/v1/traces" "application/x-protobuf" null
    "#);
    for pair in accounts.chunks(2) {
        let [mut json, mut protobuf] = [pair[0]["message"].clone(), pair[1]["message"].clone()];
        // Each exporter is a process of its own for receivers, and counts since its own start.
        remove(&mut json);
        remove(&mut protobuf);
        assert_eq!(json, protobuf);
        assert!(json.to_string().len() > 1_000, "{json}");
    }
}

/// Removes what differs between two exporters of the same data.
fn remove(value: &mut Json) {
    match value {
        Json::Array(items) => {
            items.retain(|item| item["key"] != "service.instance.id");
            items.iter_mut().for_each(remove);
        }
        Json::Object(map) => {
            if map.contains_key("bucketCounts") {
                map.retain(|key, _| key != "startTimeUnixNano" && key != "timeUnixNano");
            }
            map.values_mut().for_each(remove);
        }
        _ => {}
    }
}

#[test]
fn names_are_those_of_the_semantic_conventions() {
    let program = start();
    let accounts = accounts(&program);
    let names = |key: &str| -> BTreeSet<String> {
        let all = accounts.iter().flat_map(|account| account[key].as_array().unwrap());
        all.map(|name| name.as_str().unwrap().to_owned()).collect()
    };
    let own = |name: &String| name.starts_with("opbeat.");
    let (unknown, metrics) = (names("unknown"), names("unknown_metrics"));
    assert!(unknown.iter().all(own), "{unknown:?}");
    assert_eq!(metrics, BTreeSet::from(["opbeat.job.duration".to_owned()]));
    let stable = names("attributes").len() - unknown.len() - names("incubating").len();
    assert!(stable > 20, "{stable} attributes are stable names");
    insta::assert_snapshot!(names("incubating").into_iter().collect::<Vec<_>>().join("\n"), @r#"
    db.response.returned_rows
    host.name
    http.request.body.size
    http.response.body.size
    messaging.operation.name
    messaging.operation.type
    messaging.system
    rpc.method
    rpc.response.status_code
    rpc.system.name
    user.email
    user.id
    user.name
    "#);
    insta::assert_snapshot!(unknown.into_iter().collect::<Vec<_>>().join("\n"), @r#"
    opbeat.busy_ms
    opbeat.culprit
    opbeat.error_id
    opbeat.head_ms
    opbeat.kind
    opbeat.outcome
    opbeat.result
    opbeat.transaction
    "#);
}

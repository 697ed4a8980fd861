//! The standard environment variables.

use opbeat_core::Agent;
use opbeat_core::export::OtlpExporter;
use opbeat_testing::ScriptedServer;

use super::receiver::{config, exporter, items, requests, start};
use crate::PATIENCE;

fn read(variables: &[(&str, &str)]) -> Result<String, String> {
    let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let exporter = OtlpExporter::from_variables(&config(), get);
    exporter.map(|exporter| format!("{exporter:?}")).map_err(|error| error.to_string())
}

#[test]
fn endpoints_follow_the_specification() {
    insta::assert_snapshot!(read(&[]).unwrap(), @r#"OtlpExporter { traces: Some("http://localhost:4318/v1/traces"), logs: Some("http://localhost:4318/v1/logs"), metrics: Some("http://localhost:4318/v1/metrics"), .. }"#);
    insta::assert_snapshot!(read(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example/behind/"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://traces.example:4318/spans?api-key=hunter2"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ]).unwrap(), @r#"OtlpExporter { traces: Some("http://traces.example:4318/spans"), logs: Some("https://collector.example/behind/v1/logs"), metrics: None, .. }"#);
    insta::assert_snapshot!(read(&[("OTEL_SDK_DISABLED", "true")]).unwrap(), @r#"OtlpExporter { traces: None, logs: None, metrics: None, .. }"#);
}

#[test]
fn invalid_values_are_named() {
    let errors = [
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://ada:hunter2@collector"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector?api-key=hunter2"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "hunter2"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "a b=c"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "sometimes"),
        ("OTEL_RESOURCE_ATTRIBUTES", "production"),
    ]
    .map(|variable| read(&[variable]).unwrap_err());
    insta::assert_snapshot!(errors.join("\n"), @r#"
    OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", which is not supported: set `http/protobuf`, and the port for HTTP in the endpoint, usually 4318
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL is "http", which is not `http/protobuf` or `http/json`
    OTEL_EXPORTER_OTLP_ENDPOINT is "collector:4318", which is not an address such as `http://localhost:4318`, without a user name
    OTEL_EXPORTER_OTLP_ENDPOINT is "[REDACTED]", which is not an address such as `http://localhost:4318`, without a user name
    OTEL_EXPORTER_OTLP_ENDPOINT is "http://collector?[REDACTED]", which is not an address such as `http://localhost:4318`, without a user name
    OTEL_EXPORTER_OTLP_COMPRESSION is "zstd", which is not `gzip` or `none`
    OTEL_EXPORTER_OTLP_TIMEOUT is "soon", which is not a number of milliseconds between 1 and 3600000
    OTEL_EXPORTER_OTLP_TIMEOUT is "0", which is not a number of milliseconds between 1 and 3600000
    OTEL_EXPORTER_OTLP_HEADERS is "[REDACTED]", which is not a list such as `api-key=secret,tenant=shop`, with percent-encoded values
    OTEL_EXPORTER_OTLP_METRICS_HEADERS is "[REDACTED]", which is not a list such as `api-key=secret,tenant=shop`, with percent-encoded values
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE is "sometimes", which is not `cumulative`, `delta` or `lowmemory`
    OTEL_RESOURCE_ATTRIBUTES is "production", which is not a list such as `deployment.environment.name=production,service.namespace=shop`
    "#);
}

#[test]
fn headers_and_compression_reach_the_receiver() {
    let variables = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "api-key=a%20b,tenant=shop"),
        ("OTEL_EXPORTER_OTLP_METRICS_HEADERS", "api-key=metrics"),
        ("OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "http/protobuf"),
    ];
    let (agent, server) = start([], &variables);
    agent.begin_transaction("task.test").end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    let traces = requests(&server, "/v1/traces").remove(0);
    let header = |name| traces.header(name);
    assert_eq!((header("api-key"), header("tenant")), (Some("a b"), Some("shop")));
    assert_eq!((header("content-type"), header("content-encoding")), (Some("application/json"), Some("gzip")));
    assert!(header("user-agent").unwrap().starts_with("opbeat-rust/"));
    assert_eq!(items(&server, "/v1/traces").len(), 1);
    let metrics = requests(&server, "/v1/metrics").remove(0);
    assert_eq!((metrics.header("api-key"), metrics.header("tenant")), (Some("metrics"), None));
    assert_eq!(metrics.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(metrics.header("content-encoding"), None);
    assert!(metrics.bytes.windows(20).any(|bytes| bytes == b"opbeat.job.duration\x12"));
}

#[test]
fn signals_can_have_receivers_of_their_own_and_be_switched_off() {
    let (traces, others) = (ScriptedServer::start([]), ScriptedServer::start([]));
    let url = format!("{}/spans", traces.url()).leak();
    let variables = [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*url), ("OTEL_LOGS_EXPORTER", "none")];
    let agent = Agent::with_exporter(&config(), exporter(&others.url(), &variables));
    agent.begin_transaction("task.test").end("test", "ok");
    agent.capture_message(opbeat_core::Level::Error, "no disk");
    agent.flush(PATIENCE).unwrap();
    let paths = |server: &ScriptedServer| server.requests().into_iter().map(|request| request.path).collect::<Vec<_>>();
    assert_eq!(paths(&traces), ["/spans"]);
    assert_eq!(paths(&others), ["/v1/metrics"]);
}

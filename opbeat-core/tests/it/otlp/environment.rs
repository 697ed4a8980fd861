//! The destinations that the environment variables choose. Each test runs this program again with its variables.

use std::process::{Command, Output};

use opbeat_core::Agent;
use opbeat_testing::ScriptedServer;

use super::receiver::requests;
use crate::PATIENCE;

const ALONE: &str = "OPBEAT_TEST_ENVIRONMENT";

/// Runs the application of this file with variables.
fn run(variables: &[(&str, &str)]) -> Output {
    let application = ["otlp::environment::application", "--exact", "--nocapture"];
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(application).env(ALONE, "1").env("RUST_BACKTRACE", "0").envs(variables.iter().copied());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output
}

/// Is an application that reports one job. It does nothing if no other test has started it.
#[test]
fn application() {
    if std::env::var_os(ALONE).is_some() {
        let agent = Agent::from_env();
        println!("recording: {}", agent.is_recording());
        agent.begin_transaction("task.test").end("test", "ok");
        agent.flush(PATIENCE).unwrap();
        println!("{}", agent.diagnose());
    }
}

fn app(url: &str) -> [(&str, &str); 4] {
    [
        ("OPBEAT_ORGANIZATION_ID", "acme"),
        ("OPBEAT_APP_ID", "shop"),
        ("OPBEAT_SECRET_TOKEN", "token"),
        ("OPBEAT_SERVER_URL", url),
    ]
}

#[test]
fn a_receiver_alone_needs_no_app() {
    let receiver = ScriptedServer::start([]);
    let output = run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())]);
    assert_eq!(requests(&receiver, "/v1/metrics").len(), 1);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains(&format!("server: delivers to the OTLP receiver at {}", receiver.url())), "{shown}");
}

#[test]
fn an_app_and_a_receiver_both_receive_the_data() {
    let (server, receiver) = (ScriptedServer::start([]), ScriptedServer::start([]));
    let (url, endpoint) = (server.url(), receiver.url());
    let output =
        run(&[app(&url).as_slice(), &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &endpoint), OFF, NO_LOGS]].concat());
    assert_eq!(server.requests()[0].body["transactions"][0]["transaction"], "test");
    // The diagnosis posts a request without spans.
    assert_eq!(requests(&receiver, "/").len(), 2);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("the token is accepted. delivers to the OTLP receiver at"), "{shown}");
}

const OFF: (&str, &str) = ("OTEL_METRICS_EXPORTER", "none");
const NO_LOGS: (&str, &str) = ("OTEL_LOGS_EXPORTER", "none");

#[test]
fn invalid_variables_of_opentelemetry_stop_no_delivery_to_the_app() {
    let server = ScriptedServer::start([]);
    let url = server.url();
    let invalid = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")];
    let output = run(&[app(&url).as_slice(), &invalid].concat());
    assert_eq!(server.requests()[0].body["transactions"][0]["transaction"], "test");
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains(r#"OTEL_EXPORTER_OTLP_PROTOCOL is "grpc", which is not supported"#), "{log}");
    assert!(log.contains("the data goes to the Opbeat server only"), "{log}");
}

#[test]
fn an_incomplete_app_is_an_error_beside_a_receiver_too() {
    let receiver = ScriptedServer::start([]);
    let output = run(&[("OPBEAT_APP_ID", "shop"), ("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())]);
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("OPBEAT_ORGANIZATION_ID is not set"), "{log}");
    assert!(receiver.requests().is_empty());
}

//! The destinations that the environment variables choose. Each test runs this program again with its variables.

use std::process::{Command, Output};

use opbeat_core::Agent;
use opbeat_core::export::FlushError;
use opbeat_testing::ScriptedServer;

use super::receiver::requests;
use crate::PATIENCE;

const ALONE: &str = "OPBEAT_TEST_ENVIRONMENT";

/// Runs the application of this file with variables.
fn run(variables: &[(&str, &str)]) -> Output {
    run_application("otlp::environment::application", variables)
}

fn run_application(name: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([name, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .env("RUST_BACKTRACE", "0")
        .envs(variables.iter().copied());
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

/// Is an application that reports two jobs while the receiver of its traces is away.
#[test]
fn application_without_traces() {
    if std::env::var_os(ALONE).is_some() {
        let agent = Agent::from_env();
        for _ in 0..2 {
            agent.begin_transaction("task.test").end("test", "ok");
            assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Undelivered(_))));
        }
    }
}

#[test]
fn metrics_do_not_wait_for_a_dead_receiver_of_traces() {
    let receiver = ScriptedServer::start([]);
    let traces = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces");
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", &*receiver.url()), traces];
    run_application("otlp::environment::application_without_traces", &variables);
    assert_eq!(requests(&receiver, "/v1/metrics").len(), 2);
}

/// Is an application that reports one job with an error.
#[test]
fn application_with_an_error() {
    if std::env::var_os(ALONE).is_some() {
        let agent = Agent::from_env();
        let job = agent.begin_transaction("task.test");
        {
            let _entered = job.enter();
            opbeat_core::capture_error(&std::io::Error::other("no books"));
        }
        job.end("test", "failed");
        agent.flush(PATIENCE).unwrap();
    }
}

#[test]
fn an_error_of_a_sampled_transaction_is_sent_once_to_two_receivers() {
    let (traces, others) = (ScriptedServer::start([]), ScriptedServer::start([]));
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &*others.url()),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &*format!("{}/v1/traces", traces.url())),
    ];
    run_application("otlp::environment::application_with_an_error", &variables);
    let [spans] = &requests(&traces, "/v1/traces")[..] else { panic!("one request has the job and its error") };
    assert!(spans.bytes.windows(8).any(|bytes| bytes == b"no books"));
    assert_eq!(requests(&others, "/v1/metrics").len(), 1);
    assert!(requests(&others, "/v1/logs").is_empty());
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

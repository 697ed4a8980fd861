//! What needs a process of its own: each test runs this program once more, for itself alone.

use std::fs::File;
use std::process::{Command, Stdio};

use opbeat_core::{Agent, Config, Level};
use opbeat_testing::{MemoryExporter, Reply, ScriptedServer};

use crate::PATIENCE;

const ALONE: &str = "OPBEAT_TEST_ALONE";

/// Runs a test of this file in a process of its own, unless this is it. Returns whether it is.
fn is_alone(test: &str, stderr: Stdio) -> bool {
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = format!("alone::{test}");
    let status = command
        .args([&test, "--exact", "--nocapture"])
        .env(ALONE, "1")
        .env("RUST_BACKTRACE", "0")
        .stderr(stderr)
        .status()
        .unwrap();
    assert!(status.success(), "{test}");
    false
}

/// Has deliveries fail at first, so that there is something to tell, and checks that they go on.
fn deliveries_go_on() {
    let server = ScriptedServer::start([Reply::Close, Reply::Close, Reply::Close]);
    let agent = Agent::start(&server.config()).unwrap();
    agent.begin_transaction("task.test").end("test", "ok");
    let failed = (0..20).take_while(|_| agent.flush(PATIENCE).is_err()).count();
    assert!((1..20).contains(&failed), "{failed}");
    let seen = server.requests();
    assert!(seen.iter().any(|seen| seen.body["transactions"][0]["transaction"] == "test"), "{seen:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_is_full_ends_no_thread() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    if is_alone("a_terminal_that_is_full_ends_no_thread", full.into()) {
        deliveries_go_on();
    }
}

/// A logger that cannot log.
struct Broken;

impl log::Log for Broken {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        assert!(record.target() != "opbeat", "the log is broken");
    }

    fn flush(&self) {}
}

#[test]
fn a_logger_that_panics_ends_no_thread() {
    if is_alone("a_logger_that_panics_ends_no_thread", Stdio::null()) {
        log::set_logger(&Broken).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        deliveries_go_on();
    }
}

#[test]
fn the_agent_that_runs_is_the_latest_again() {
    if !is_alone("the_agent_that_runs_is_the_latest_again", Stdio::inherit()) {
        return;
    }
    let start = || {
        let exporter = MemoryExporter::default();
        (Agent::with_exporter(&Config::default(), exporter.clone()), exporter)
    };
    let (first, reports) = start();
    let (second, others) = start();
    opbeat_core::capture_message(Level::Error, "to the second").unwrap();
    second.shutdown(PATIENCE).unwrap();
    opbeat_core::capture_message(Level::Error, "to the first").unwrap();
    drop(second);
    let transaction = first.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        let (third, _) = start();
        opbeat_core::capture_message(Level::Error, "to the transaction's").unwrap();
        drop(third);
        opbeat_core::capture_message(Level::Error, "to the same one").unwrap();
    }
    transaction.end("test", "ok");
    first.flush(PATIENCE).unwrap();
    let messages =
        |exporter: &MemoryExporter| exporter.errors().into_iter().map(|error| error.message).collect::<Vec<_>>();
    assert_eq!(messages(&others), ["to the second"]);
    assert_eq!(messages(&reports), ["to the first", "to the transaction's", "to the same one"]);
    drop(first);
    assert!(opbeat_core::capture_message(Level::Error, "to nobody").is_none());
}

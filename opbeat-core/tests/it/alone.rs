//! Tests that change the state of their process: each one runs this program again, in a process of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::task::Poll;
use std::time::{Duration, Instant};

use opbeat_core::http::HttpTransaction;
use opbeat_core::{Agent, Config, Level};
use opbeat_testing::{MemoryExporter, Reply, ScriptedServer};

use crate::PATIENCE;

const ALONE: &str = "OPBEAT_TEST_ALONE";

/// Runs a test of this file in a process of its own. Returns true in that process, where the test has to do its work.
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

/// Makes the first deliveries fail, so that the agent logs, and checks that later ones succeed.
fn deliveries_recover() {
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
fn a_full_terminal_does_not_end_a_thread() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    if is_alone("a_full_terminal_does_not_end_a_thread", full.into()) {
        deliveries_recover();
    }
}

/// A logger that panics on records of the agent.
struct PanickingLogger;

impl log::Log for PanickingLogger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        assert!(record.target() != "opbeat", "the log is broken");
    }

    fn flush(&self) {}
}

#[test]
fn a_panicking_logger_does_not_end_a_thread() {
    if is_alone("a_panicking_logger_does_not_end_a_thread", Stdio::null()) {
        log::set_logger(&PanickingLogger).unwrap();
        log::set_max_level(log::LevelFilter::Info);
        deliveries_recover();
    }
}

#[test]
fn reports_go_to_the_latest_agent_that_still_runs() {
    if !is_alone("reports_go_to_the_latest_agent_that_still_runs", Stdio::inherit()) {
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
    assert!(opbeat_core::capture_message(Level::Error, "without an agent").is_none());
}

/// Polls until the process was frozen for a while. The parent stops the process when it reads the line.
#[test]
#[cfg(unix)]
fn a_frozen_process_is_no_blocked_executor() {
    let test = "alone::a_frozen_process_is_no_blocked_executor";
    if std::env::var_os(ALONE).is_none() {
        // It waits for the id, since the start of a program takes seconds on a busy machine.
        let freeze = ["-c", "read id && kill -STOP $id && sleep 4; kill -CONT $id"];
        let mut freezer = Command::new("sh").args(freeze).stdin(Stdio::piped()).spawn().unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args([test, "--exact", "--nocapture"]).env(ALONE, "1").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        lines.find(|line| line.as_ref().unwrap().ends_with("polling")).unwrap().unwrap();
        writeln!(freezer.stdin.take().unwrap(), "{}", child.id()).unwrap();
        assert!(freezer.wait().unwrap().success());
        assert!(child.wait().unwrap().success());
        return;
    }
    let exporter = MemoryExporter::default();
    // The process may run for up to three seconds until it is stopped, on a busy machine.
    let config = Config::default().blocking_threshold(Duration::from_secs(3));
    let agent = Agent::with_exporter(&config, exporter.clone());
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |_| ());
    let polled = transaction.poll(|| {
        let since = Instant::now();
        // The worker notices a freeze by its sleep, and so it must sleep first.
        while since.elapsed() < Duration::from_millis(300) {}
        println!("polling");
        while since.elapsed() < Duration::from_secs(4) {}
        Poll::Ready(())
    });
    assert!(polled.is_ready());
    transaction.start_response(200);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors().len(), 0, "the poll was frozen, and blocked nothing");
}

#[test]
fn a_replaced_panic_hook_is_told_and_costs_no_message() {
    if !is_alone("a_replaced_panic_hook_is_told_and_costs_no_message", Stdio::inherit()) {
        return;
    }
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    assert!(!agent.diagnose().is_panic_hook_replaced);
    std::panic::set_hook(Box::new(|_| {}));
    let failing = |work: &dyn Fn()| std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).unwrap_err();
    failing(&|| {
        let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |_| ());
        let _ = transaction.poll(|| -> Poll<()> { panic!("no books") });
    });
    let job = agent.begin_transaction("task.test");
    failing(&|| job.run(|| panic!("no mail")));
    let spawned = job.wrap_fn(|| panic!("no paper"));
    std::thread::spawn(spawned).join().unwrap_err();
    drop(job);
    agent.flush(PATIENCE).unwrap();
    let mut messages: Vec<String> = exporter.errors().into_iter().map(|error| error.message).collect();
    messages.sort();
    assert_eq!(messages, ["no books", "no mail", "no paper"]);
    let diagnosis = agent.diagnose();
    assert!(diagnosis.is_panic_hook_replaced);
    assert!(diagnosis.to_string().contains("Set the application's hook before the agent starts"), "{diagnosis}");
}

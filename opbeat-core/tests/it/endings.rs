//! Panics that end the process: each test runs itself again in a process of its own.

use std::process::Command;

use opbeat_core::{Agent, Config};
use opbeat_testing::ScriptedServer;

use crate::PATIENCE;

const SERVER: &str = "OPBEAT_TEST_SERVER";

/// Runs a test of this file in a process of its own, which delivers to a server of this one. Returns its reports.
fn reports_of(test: &str) -> Vec<String> {
    let server = ScriptedServer::start([]);
    let program = std::env::current_exe().unwrap();
    let status = Command::new(program)
        .args([&format!("endings::{test}"), "--exact", "--nocapture"])
        .env(SERVER, server.url())
        .env("RUST_BACKTRACE", "0")
        .output()
        .unwrap()
        .status;
    assert!(!status.success(), "the process should end with its panic");
    let seen = server.wait_for(1, PATIENCE);
    let errors = seen.iter().filter(|seen| seen.path.ends_with("/errors/"));
    errors.map(|seen| seen.body["message"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Returns an agent in the child process, which is going to end.
fn agent_of_child() -> Option<Agent> {
    let url = std::env::var(SERVER).ok()?;
    Some(Agent::start(&Config::new("org", "app", "token").server_url(url).shutdown_timeout(PATIENCE)).unwrap())
}

struct PanicsWhenDropped;

impl Drop for PanicsWhenDropped {
    fn drop(&mut self) {
        panic!("no stamps either");
    }
}

#[test]
fn a_panic_during_a_panic_is_delivered_before_the_process_ends() {
    let Some(_agent) = agent_of_child() else {
        let reports = reports_of("a_panic_during_a_panic_is_delivered_before_the_process_ends");
        for message in ["panic: no stamps", "panic: no stamps either"] {
            assert!(reports.iter().any(|report| report == message), "{message} is missing: {reports:?}");
        }
        return;
    };
    let _second = PanicsWhenDropped;
    panic!("no stamps");
}

extern "C" fn cannot_unwind() {
    panic!("no envelopes");
}

#[test]
fn a_panic_that_cannot_unwind_is_delivered_before_the_process_ends() {
    let Some(_agent) = agent_of_child() else {
        let reports = reports_of("a_panic_that_cannot_unwind_is_delivered_before_the_process_ends");
        assert!(reports.iter().any(|report| report == "panic: no envelopes"), "{reports:?}");
        return;
    };
    cannot_unwind();
}

#[test]
fn a_panic_of_a_task_without_a_transaction_is_reported() {
    let Some(agent) = agent_of_child() else {
        let reports = reports_of("a_panic_of_a_task_without_a_transaction_is_reported");
        assert!(reports.iter().any(|report| report == "panic: no envelopes"), "{reports:?}");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert!(runtime.block_on(async { tokio::spawn(async { panic!("no envelopes") }).await }).is_err());
    agent.flush(PATIENCE).unwrap();
    panic!("the child has to fail");
}

//! Unusual values of an application: huge durations and texts, formatters and payloads that panic.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use opbeat_core::http::catch_panic;
use opbeat_core::{Agent, Config, Level};
use opbeat_testing::MemoryExporter;

use crate::{PATIENCE, monitored};

#[test]
fn the_longest_durations_are_accepted() {
    let exporter = MemoryExporter::default();
    let config = Config::default().flush_interval(Duration::MAX).shutdown_timeout(Duration::MAX);
    let agent = Agent::with_exporter(&config, exporter.clone());
    agent.begin_transaction("task.test").end("test", "ok");
    agent.flush(Duration::MAX).unwrap();
    agent.begin_transaction("task.test").end("test", "ok");
    drop(agent);
    assert_eq!(exporter.count("test"), 2);
}

#[test]
fn long_messages_are_cut() {
    let (agent, exporter) = monitored();
    let long = "no books ".repeat(100_000);
    agent.capture_message(Level::Error, long.clone());
    agent.capture_error(&std::io::Error::other(std::io::Error::other(long)));
    agent.flush(PATIENCE).unwrap();
    for error in exporter.errors() {
        assert!(error.message.starts_with("no books") && error.message.len() < 9_000, "{}", error.message.len());
        assert!(error.causes.iter().all(|cause| cause.message.len() < 9_000));
    }
}

/// An error whose formatter fails or panics.
#[derive(Debug)]
enum BrokenFormatter {
    Fails,
    Panics,
}

impl fmt::Display for BrokenFormatter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shelf")?;
        match self {
            Self::Fails => Err(fmt::Error),
            Self::Panics => panic!("the shelf is not there"),
        }
    }
}

impl std::error::Error for BrokenFormatter {}

#[test]
fn errors_whose_formatter_fails_are_reported() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let captures = [BrokenFormatter::Fails, BrokenFormatter::Panics]
        .map(|error| catch_unwind(AssertUnwindSafe(|| transaction.capture_error(&error))).unwrap());
    assert!(captures.iter().all(Option::is_some));
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    assert!(exporter.errors().iter().any(|error| error.message == "the shelf"));
}

/// A payload that panics when it is dropped, with a payload of the same type, as many times as its number.
struct PanicsOnDrop(u32);

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

#[test]
fn a_payload_that_panics_on_drop_is_caught() {
    let result = catch_panic(true, || std::panic::panic_any(PanicsOnDrop(3)));
    assert_eq!(result, None::<()>);
}

//! What an application hands over has no bounds of its own.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use opbeat_core::http::catch_panic;
use opbeat_core::{Agent, Config, Level};
use opbeat_testing::MemoryExporter;

use crate::{PATIENCE, monitored};

#[test]
fn durations_may_be_as_long_as_they_can() {
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
fn messages_are_cut_where_they_are_captured() {
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

/// An error that cannot be shown.
#[derive(Debug)]
enum Unshowable {
    Fails,
    Panics,
}

impl fmt::Display for Unshowable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shelf")?;
        match self {
            Self::Fails => Err(fmt::Error),
            Self::Panics => panic!("the shelf is not there"),
        }
    }
}

impl std::error::Error for Unshowable {}

#[test]
fn errors_that_cannot_be_shown_are_reported() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let captures = [Unshowable::Fails, Unshowable::Panics]
        .map(|error| catch_unwind(AssertUnwindSafe(|| transaction.capture_error(&error))).unwrap());
    assert!(captures.iter().all(Option::is_some));
    transaction.end("test", "failed");
    agent.flush(PATIENCE).unwrap();
    assert!(exporter.errors().iter().any(|error| error.message == "the shelf"));
}

/// A payload that panics when it is dropped, with another one of its kind for as often as it says.
struct Again(u32);

impl Drop for Again {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            std::panic::panic_any(Self(self.0 - 1));
        }
    }
}

#[test]
fn a_panic_goes_no_further_whatever_it_carries() {
    let answer = catch_panic(true, || std::panic::panic_any(Again(3)));
    assert_eq!(answer, None::<()>);
}

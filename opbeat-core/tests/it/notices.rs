//! The agent's own messages, if the application's log shows them and if it hides them. Loggers belong to the process,
//! so each test runs this program again.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Once;
use std::time::Duration;

use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::http::warn_once;
use opbeat_core::{Agent, Config};
use tracing_subscriber::filter::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt, registry};

use crate::{PATIENCE, monitored};

const LOG: &str = "OPBEAT_TEST_LOG";

/// The filter of axum's examples, which hides the agent's messages.
const USUAL: &str = "shop=debug,tower_http=debug";

/// The ways to install a log, and whether it shows the agent's messages.
const LOGS: [(&str, bool); 6] = [
    ("none", false),
    ("a filter for all layers", false),
    ("a filter for one layer", false),
    ("a filter for one layer, with ErrorEvents", false),
    ("ErrorEvents alone", false),
    ("a filter that shows the agent", true),
];

fn install(log: &str) {
    let filter = || EnvFilter::new(USUAL);
    match log {
        "none" => {}
        "a filter for all layers" => registry().with(filter()).with(fmt::layer()).init(),
        "a filter for one layer" => registry().with(fmt::layer().with_filter(filter())).init(),
        "a filter for one layer, with ErrorEvents" => {
            registry().with(fmt::layer().with_filter(filter())).with(ErrorEvents::new()).init();
        }
        "ErrorEvents alone" => registry().with(ErrorEvents::new()).init(),
        "a filter that shows the agent" => {
            let filter = EnvFilter::new(format!("{USUAL},opbeat=info"));
            registry().with(fmt::layer().with_filter(filter)).with(ErrorEvents::new()).init();
        }
        other => panic!("an unknown log: {other}"),
    }
}

/// Runs a test of this file in a child process with each log. Returns whether this is the child, whose log is installed.
/// `check` receives the name of the log, and how often a text occurs in the log and on standard error.
fn is_child(test: &str, text: &str, check: fn(&str, (usize, usize))) -> bool {
    if let Ok(log) = std::env::var(LOG) {
        install(&log);
        return true;
    }
    for (log, _) in LOGS {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args([&format!("notices::{test}"), "--exact", "--nocapture"]).env(LOG, log).env("NO_COLOR", "1");
        for variable in opbeat_core::config::VARIABLES {
            child.env_remove(variable.name);
        }
        let output = child.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(output.status.success(), "{log}: {stderr}");
        let count = |output: &str| output.lines().filter(|line| line.contains(text)).count();
        check(log, (count(&stdout), count(&stderr)));
    }
    false
}

/// The message is in the log if that shows it, or else on standard error, and never in both.
fn is_shown_once(log: &str, counts: (usize, usize)) {
    let is_in_log = LOGS.contains(&(log, true));
    assert_eq!(counts, if is_in_log { (1, 0) } else { (0, 1) }, "{log}");
}

#[test]
fn a_missing_variable_is_shown_once() {
    if is_child("a_missing_variable_is_shown_once", "the application runs unmonitored", is_shown_once) {
        let (agent, exporter) = monitored();
        assert!(!Agent::from_env().is_recording());
        agent.flush(PATIENCE).unwrap();
        assert_eq!(exporter.errors().len(), 0, "the agent's own messages are not reported");
    }
}

#[test]
fn an_unreachable_server_is_shown_once() {
    if is_child("an_unreachable_server_is_shown_once", "opbeat: ", |log, counts| match log {
        "a filter that shows the agent" => assert_eq!(counts, (1, 0)),
        _ => assert_eq!(counts, (0, 1), "{log}"),
    }) {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = Config::new("o", "a", "t").server_url(format!("http://127.0.0.1:{port}"));
        let agent = Agent::start(&config.shutdown_timeout(Duration::from_millis(1))).unwrap();
        for _ in 0..2 {
            agent.begin_transaction("task.test").end("test", "ok");
            agent.flush(PATIENCE).unwrap_err();
        }
    }
}

#[test]
fn a_repeated_warning_is_written_once_if_the_log_hides_it() {
    if is_child("a_repeated_warning_is_written_once_if_the_log_hides_it", "the layer is misplaced", |log, counts| {
        let expected = match log {
            // Without a logger, standard error is the log.
            "none" => (0, 2),
            "a filter that shows the agent" => (2, 0),
            _ => (0, 1),
        };
        assert_eq!(counts, expected, "{log}");
    }) {
        for once in [Once::new(), Once::new()] {
            warn_once(&once, "the layer is misplaced");
        }
    }
}

//! Log lines about outages and rejections. A process has one log, so each test finds its lines by its server.

use std::sync::{Mutex, Once};
use std::time::Duration;

use opbeat_core::export::{Batch, Contact, ExportError, Exporter};
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;

/// Keeps the log lines, with the thread that wrote them.
struct Lines(Mutex<Vec<(std::thread::ThreadId, String)>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        self.0.lock().unwrap().push((std::thread::current().id(), line));
    }

    fn flush(&self) {}
}

fn keep_lines() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LINES).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
}

/// Returns the lines of the thread that wrote this marker.
fn lines_with(marker: &str) -> Vec<String> {
    let lines = LINES.0.lock().unwrap();
    let thread = lines.iter().find(|(_, line)| line.contains(marker)).expect("the thread has logged the marker").0;
    lines.iter().filter(|(by, _)| *by == thread).map(|(_, line)| line.replace(marker, "URL")).collect()
}

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

/// Flushes until everything is delivered. Returns the number of failed flushes.
fn deliver(agent: &Agent) -> usize {
    (0..20).take_while(|_| agent.flush(PATIENCE).is_err()).count()
}

#[test]
fn an_outage_and_its_end_are_logged_once() {
    keep_lines();
    let server = ScriptedServer::start([Reply::Close, Reply::Close, Reply::Close]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    assert!(deliver(&agent) >= 2);
    // When the next batch is delivered, the delivery thread has logged everything.
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = lines_with(&server.url());
    assert!(lines[0].starts_with("INFO delivers to the Opbeat server at URL without TLS; the token is accepted"));
    assert_eq!(
        lines[1..],
        [
            "WARN the Opbeat server at URL closed the connection without a response. See its log; data is kept in \
             memory, up to a limit, and sent later; the application is not affected",
            "WARN delivery works again, after 2 failed attempts",
        ]
    );
}

/// Fails with the given errors, then delivers.
struct Scripted {
    name: &'static str,
    failures: Vec<ExportError>,
    is_away: bool,
}

impl Exporter for Scripted {
    fn export(&mut self, _: &mut Batch) -> Result<(), ExportError> {
        self.is_away = false;
        self.failures.pop().map_or(Ok(()), Err)
    }

    fn probe(&mut self) -> Result<Option<Contact>, ExportError> {
        if self.is_away {
            return Err(ExportError::new(format!("{} is away", self.name)).retry_after(Duration::ZERO));
        }
        Ok(Some(Contact::new(format!("{} is there", self.name))))
    }
}

#[test]
fn the_check_is_repeated_if_it_failed_at_the_start() {
    keep_lines();
    let exporter = Scripted { name: "the late one", failures: Vec::new(), is_away: true };
    let agent = Agent::with_exporter(&Config::default(), exporter);
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = lines_with("the late one");
    assert_eq!(lines[..2], ["WARN URL is away", "WARN delivery works again, after one failed attempt"]);
    assert_eq!(lines[2], "INFO URL is there");
    assert_eq!(lines.len(), 3);
}

#[test]
fn each_kind_of_failure_is_logged_once() {
    keep_lines();
    let script = [401, 503, 401, 503].map(|status| Reply::Status(status, ""));
    let server = ScriptedServer::start(script);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    deliver(&agent);
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = lines_with(&server.url());
    assert!(lines[1].starts_with("WARN the Opbeat server at URL responded with 401 Unauthorized. Check "), "{lines:?}");
    assert!(
        lines[2].starts_with("WARN the Opbeat server at URL responded with 503 Service Unavailable. Data is kept"),
        "{lines:?}"
    );
    assert_eq!(lines[3..], ["WARN delivery works again, after 4 failed attempts"]);
}

#[test]
fn a_series_of_rejections_and_its_end_are_logged_once() {
    keep_lines();
    const NO: Reply = Reply::Status(400, r#"{"status": 400, "error_message": "no."}"#);
    let server = ScriptedServer::start([NO, NO, NO, NO]);
    let agent = Agent::start(&server.config()).unwrap();
    for _ in 0..20 {
        record_one(&agent);
        // The first flushes are rejected.
        let _ = agent.flush(PATIENCE);
    }
    let lines = lines_with(&server.url());
    assert_eq!(
        lines[1],
        "ERROR the Opbeat server at URL responded with 400 Bad Request: no. Dropped: 1 transaction, 1 sample, \
         2 rejected bodies. Further rejections are counted, and logged when the server accepts data again"
    );
    assert!(lines[2].starts_with("ERROR the server accepts data again; dropped in the meantime: "), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

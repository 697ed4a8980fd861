//! What the log says of a server that is away. There is one log in a process, and so lines are told apart by the server.

use std::sync::{Mutex, Once};
use std::time::Duration;

use opbeat_core::export::{Batch, Contact, ExportError, Exporter};
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;

/// Keeps the log's lines, with the thread that they come from.
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

/// Returns what the thread said that said this.
fn said_by(marker: &str) -> Vec<String> {
    let lines = LINES.0.lock().unwrap();
    let thread = lines.iter().find(|(_, line)| line.contains(marker)).expect("it says something").0;
    lines.iter().filter(|(by, _)| *by == thread).map(|(_, line)| line.replace(marker, "URL")).collect()
}

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

/// Flushes until all is delivered. Returns how often it was not.
fn deliver(agent: &Agent) -> usize {
    (0..20).take_while(|_| agent.flush(PATIENCE).is_err()).count()
}

#[test]
fn an_outage_is_told_once_and_so_is_its_end() {
    keep_lines();
    let server = ScriptedServer::start([Reply::Close, Reply::Close, Reply::Close]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    assert!(deliver(&agent) >= 2);
    // The worker's next batch shows that the sender has said all.
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = said_by(&server.url());
    assert!(lines[0].starts_with("INFO delivers to the Opbeat server at URL without TLS; the token is accepted; "));
    assert_eq!(
        lines[1..],
        [
            "WARN the Opbeat server at URL closed the connection before it answered; data is kept for a while, and the \
             application goes on as it was",
            "WARN delivery works again, after 2 failed attempts",
        ]
    );
}

/// Fails as it is told, and delivers then.
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
fn the_start_is_told_when_the_first_contact_failed() {
    keep_lines();
    let exporter = Scripted { name: "the late one", failures: Vec::new(), is_away: true };
    let agent = Agent::with_exporter(&Config::default(), exporter);
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = said_by("the late one");
    assert_eq!(lines[..2], ["WARN URL is away", "WARN delivery works again, after one failed attempt"]);
    assert!(lines[2].starts_with("INFO URL is there; stacks show lines"), "{lines:?}");
    assert_eq!(lines.len(), 3);
}

#[test]
fn another_reason_is_told_once_too() {
    keep_lines();
    let script = [401, 503, 401, 503].map(|status| Reply::Status(status, ""));
    let server = ScriptedServer::start(script);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    deliver(&agent);
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let lines = said_by(&server.url());
    assert!(lines[1].starts_with("WARN the Opbeat server at URL answered 401 Unauthorized. Check "), "{lines:?}");
    assert!(
        lines[2].starts_with("WARN the Opbeat server at URL answered 503 Service Unavailable. Data is kept"),
        "{lines:?}"
    );
    assert_eq!(lines[3..], ["WARN delivery works again, after 4 failed attempts"]);
}

#[test]
fn refusals_are_told_once_and_so_is_their_end() {
    keep_lines();
    const NO: Reply = Reply::Status(400, r#"{"status": 400, "error_message": "no."}"#);
    let server = ScriptedServer::start([NO, NO, NO, NO]);
    let agent = Agent::start(&server.config()).unwrap();
    for _ in 0..20 {
        record_one(&agent);
        // The first ones are refused.
        let _ = agent.flush(PATIENCE);
    }
    let lines = said_by(&server.url());
    assert_eq!(
        lines[1],
        "ERROR the Opbeat server at URL answered 400 Bad Request: no. This is lost: 1 transaction, 1 sample, 2 refused \
         bodies. What else is refused is counted, and told when it is over"
    );
    assert!(lines[2].starts_with("ERROR deliveries are accepted again; in the meantime this was lost: "), "{lines:?}");
    assert_eq!(lines.len(), 3, "{lines:?}");
}

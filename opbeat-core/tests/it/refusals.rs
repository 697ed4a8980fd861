use opbeat_core::export::{Batch, ExportError, Exporter, FlushError};
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;
use crate::raw_server::{self, Reads, answer};

const NO: Reply = Reply::Status(400, r#"{"status": 400, "error_message": "no"}"#);

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

#[test]
fn what_is_refused_for_good_is_not_repeated_but_told() {
    let server = ScriptedServer::start([NO]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    let Err(FlushError::Rejected(reason)) = agent.flush(PATIENCE) else { panic!("it was refused") };
    assert!(reason.ends_with("answered 400 Bad Request: no"), "{reason}");
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.samples, drops.rejected), (1, 0, 1));
    let bodies = server.requests();
    let told = bodies.iter().find(|seen| !seen.body["drops"].is_null()).expect("the server is told");
    assert_eq!(told.body["drops"], serde_json::json!({"transactions": 1, "rejected": 1}));
}

#[test]
fn refused_samples_take_no_counts_along() {
    let server = ScriptedServer::start([Reply::Status(202, ""), NO]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Rejected(_))));
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.samples, drops.rejected), (0, 1, 1));
}

#[test]
fn what_the_server_was_not_told_is_told_again() {
    let server = ScriptedServer::start([NO, Reply::Status(202, ""), NO]);
    let agent = Agent::start(&server.config()).unwrap();
    for _ in 0..3 {
        record_one(&agent);
        // The first two are refused in part.
        let _ = agent.flush(PATIENCE);
    }
    let bodies = server.requests();
    let told = bodies.iter().rfind(|seen| !seen.body["drops"].is_null()).expect("the server is told");
    assert_eq!(told.body["drops"], serde_json::json!({"transactions": 2, "rejected": 2}));
    assert_eq!(agent.diagnose().drops.rejected, 2);
}

#[test]
fn a_redirect_refuses_nothing() {
    let location = "Location: https://opbeat.example/behind/api/v1/organizations/o/apps/a/transactions/\r\n";
    let (config, _) = raw_server::start(Reads::Everything, answer("308 Permanent Redirect", location, ""));
    let agent = Agent::start(&config.shutdown_timeout(std::time::Duration::from_millis(1))).unwrap();
    record_one(&agent);
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("it is elsewhere") };
    assert!(reason.contains("Set OPBEAT_SERVER_URL to https://opbeat.example/behind."), "{reason}");
    assert!(agent.diagnose().drops.is_empty());
}

#[test]
fn a_page_is_not_quoted() {
    let (config, _) = raw_server::start(Reads::Everything, answer("404 Not Found", "", "<html><h1>404</h1></html>"));
    let url = config.server_url.clone();
    let agent = Agent::start(&config.shutdown_timeout(std::time::Duration::from_millis(1))).unwrap();
    record_one(&agent);
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("nobody takes it") };
    assert_eq!(
        reason.replace(&url, "URL"),
        "what answers at URL takes no data: it answered 404 Not Found. Set OPBEAT_SERVER_URL to where `opbeat serve` runs. \
         Data is kept for a while"
    );
}

struct Panics;

impl Exporter for Panics {
    fn export(&mut self, _: &mut Batch) -> Result<(), ExportError> {
        panic!("no way out");
    }
}

#[test]
fn what_a_panicking_exporter_held_is_counted() {
    let agent = Agent::with_exporter(&Config::default().panic_hook(false), Panics);
    record_one(&agent);
    record_one(&agent);
    assert_eq!(agent.flush(PATIENCE), Err(FlushError::Rejected("the exporter panicked".to_owned())));
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.rejected), (2, 0));
    assert!(drops.samples > 0);
}

/// Refuses a part, and delivers the rest.
struct Picky;

impl Exporter for Picky {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let mut lost = opbeat_core::record::Drops::default();
        lost.samples = batch.samples.drain(..).len() as u64;
        batch.reject(lost, "no room for samples");
        Ok(())
    }
}

#[test]
fn an_exporter_of_ones_own_says_what_it_refuses() {
    let agent = Agent::with_exporter(&Config::default(), Picky);
    record_one(&agent);
    assert_eq!(agent.flush(PATIENCE), Err(FlushError::Rejected("no room for samples".to_owned())));
    assert_eq!(agent.diagnose().drops.samples, 1);
}

use opbeat_core::export::{Batch, ExportError, Exporter, FlushError};
use opbeat_core::{Agent, Config};
use opbeat_testing::{Reply, ScriptedServer};

use crate::PATIENCE;
use crate::raw_server::{self, Reads, response};

const NO: Reply = Reply::Status(400, r#"{"status": 400, "error_message": "no"}"#);

fn record_one(agent: &Agent) {
    agent.begin_transaction("task.test").end("test", "ok");
}

#[test]
fn rejected_data_is_reported_and_not_sent_again() {
    let server = ScriptedServer::start([NO]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    let Err(FlushError::Rejected(reason)) = agent.flush(PATIENCE) else { panic!("it was rejected") };
    assert!(reason.ends_with("responded with 400 Bad Request: no"), "{reason}");
    record_one(&agent);
    agent.flush(PATIENCE).unwrap();
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.samples, drops.rejected), (1, 0, 1));
    let bodies = server.requests();
    let drops = bodies.iter().find(|seen| !seen.body["drops"].is_null()).expect("drops are reported");
    assert_eq!(drops.body["drops"], serde_json::json!({"transactions": 1, "rejected": 1}));
}

#[test]
fn rejected_samples_drop_no_counts() {
    let server = ScriptedServer::start([Reply::Status(202, ""), NO]);
    let agent = Agent::start(&server.config()).unwrap();
    record_one(&agent);
    assert!(matches!(agent.flush(PATIENCE), Err(FlushError::Rejected(_))));
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.samples, drops.rejected), (0, 1, 1));
}

#[test]
fn drops_in_a_rejected_body_are_reported_again() {
    let server = ScriptedServer::start([NO, Reply::Status(202, ""), NO]);
    let agent = Agent::start(&server.config()).unwrap();
    for _ in 0..3 {
        record_one(&agent);
        // A part of the first two is rejected.
        let _ = agent.flush(PATIENCE);
    }
    let bodies = server.requests();
    let drops = bodies.iter().rfind(|seen| !seen.body["drops"].is_null()).expect("drops are reported");
    assert_eq!(drops.body["drops"], serde_json::json!({"transactions": 2, "rejected": 2}));
    assert_eq!(agent.diagnose().drops.rejected, 2);
}

#[test]
fn a_redirect_drops_nothing() {
    let location = "Location: https://opbeat.example/behind/api/v1/organizations/o/apps/a/transactions/\r\n";
    let (config, _) = raw_server::start(Reads::Everything, response("308 Permanent Redirect", location, ""));
    let agent = Agent::start(&config.shutdown_timeout(std::time::Duration::from_millis(1))).unwrap();
    record_one(&agent);
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("the server has moved") };
    assert!(reason.contains("Set OPBEAT_SERVER_URL to https://opbeat.example/behind."), "{reason}");
    assert!(agent.diagnose().drops.is_empty());
}

#[test]
fn a_html_page_is_not_quoted() {
    let (config, _) = raw_server::start(Reads::Everything, response("404 Not Found", "", "<html><h1>404</h1></html>"));
    let url = config.server_url.clone();
    let agent = Agent::start(&config.shutdown_timeout(std::time::Duration::from_millis(1))).unwrap();
    record_one(&agent);
    let Err(FlushError::Undelivered(reason)) = agent.flush(PATIENCE) else { panic!("it is not an Opbeat server") };
    assert_eq!(
        reason.replace(&url, "URL"),
        "the program at URL is not an Opbeat server: it responded with 404 Not Found. Set OPBEAT_SERVER_URL to the \
         address of `opbeat serve`. Data is kept in memory, up to a limit, and sent later"
    );
}

struct Panics;

impl Exporter for Panics {
    fn export(&mut self, _: &mut Batch) -> Result<(), ExportError> {
        panic!("no way out");
    }
}

#[test]
fn the_batches_of_a_panicking_exporter_are_counted_as_dropped() {
    let agent = Agent::with_exporter(&Config::default().panic_hook(false), Panics);
    record_one(&agent);
    record_one(&agent);
    assert_eq!(agent.flush(PATIENCE), Err(FlushError::Rejected("the exporter panicked".to_owned())));
    let drops = agent.diagnose().drops;
    assert_eq!((drops.transactions, drops.rejected), (2, 0));
    assert!(drops.samples > 0);
}

/// Rejects samples, and delivers the rest.
struct RejectsSamples;

impl Exporter for RejectsSamples {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        let mut dropped = opbeat_core::record::Drops::default();
        dropped.samples = batch.samples.drain(..).len() as u64;
        batch.reject(dropped, "no room for samples");
        Ok(())
    }
}

#[test]
fn an_exporter_can_reject_data() {
    let agent = Agent::with_exporter(&Config::default(), RejectsSamples);
    record_one(&agent);
    assert_eq!(agent.flush(PATIENCE), Err(FlushError::Rejected("no room for samples".to_owned())));
    assert_eq!(agent.diagnose().drops.samples, 1);
}

//! Stores and brokers that are away for a while under load: nothing is refused, and everything is stored afterwards.

use std::fs;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use rusqlite::Connection;

use crate::api::PATIENCE;
use crate::case::number;
use crate::deployment::{Deployment, Embedded, Scaled};
use crate::load::{Load, outage};
use crate::small_disk::SmallDisk;

/// The length of an outage, which `OPBEAT_OUTAGE_SECONDS` sets.
fn length() -> Duration {
    Duration::from_secs(number("OPBEAT_OUTAGE_SECONDS", 5))
}

/// Finishes a test: no body was refused, and all are stored.
async fn finish(load: Load, deployment: &impl Deployment) {
    load.accepted_more().await;
    let ledger = load.finish().await;
    ledger.assert_none_refused();
    ledger.check(deployment).await;
}

pub(crate) async fn postgres_away() {
    let mut deployment = Scaled::start();
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;
    deployment.postgres.stop();
    outage(length() / 2).await;
    // A new process knows the tokens without the store.
    assert!(deployment.intakes[0].stop().success());
    deployment.intakes[0].start_again();
    load.accepted_more().await;
    outage(length() / 2).await;
    deployment.postgres.start_again();
    finish(load, &deployment).await;
}

pub(crate) async fn rabbitmq_away() {
    let mut deployment = Scaled::start();
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;
    deployment.rabbitmq.stop();
    outage(length() / 2).await;
    // A new process sends what the earlier one could not.
    assert!(deployment.intakes[0].stop().success());
    deployment.intakes[0].start_again();
    load.accepted_more().await;
    outage(length() / 2).await;
    deployment.rabbitmq.start_again();
    finish(load, &deployment).await;
}

pub(crate) async fn sqlite_locked() {
    let mut deployment = Embedded::start();
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;
    let lock = Connection::open(deployment.folder().join("opbeat.sqlite")).unwrap();
    lock.busy_timeout(PATIENCE).unwrap();
    lock.execute_batch("BEGIN IMMEDIATE").unwrap();
    outage(length() / 2).await;
    deployment.server.kill();
    deployment.server.start_again();
    load.accepted_more().await;
    outage(length() / 2).await;
    lock.execute_batch("ROLLBACK").unwrap();
    finish(load, &deployment).await;
}

pub(crate) async fn sqlite_missing() {
    let mut deployment = Embedded::start();
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;
    let file = deployment.folder().join("opbeat.sqlite");
    let elsewhere = deployment.folder().join("elsewhere.sqlite");
    fs::rename(&file, &elsewhere).unwrap();
    outage(length() / 2).await;
    // A new process knows the tokens without the database, and keeps what it accepts until that is back.
    deployment.server.kill();
    deployment.server.start_again();
    load.accepted_more().await;
    outage(length() / 2).await;
    load.accepted_more().await;
    assert!(!file.exists(), "a server does not replace a database that is missing");
    fs::rename(&elsewhere, &file).unwrap();
    finish(load, &deployment).await;
}

/// Bodies are refused while the disk is full, and the server continues by itself when there is space again.
pub(crate) async fn disk_full() {
    let disk = SmallDisk::mount().unwrap();
    let mut deployment = Embedded::start_in(disk.path());
    let load = Load::start(&deployment.intakes());
    load.accepted_more().await;

    let mut filler = disk.filler();
    let deadline = Instant::now() + PATIENCE;
    while load.ledger().refused().is_empty() {
        assert!(Instant::now() < deadline, "bodies are accepted on a full disk");
        filler.fill();
        outage(Duration::from_millis(50)).await;
    }
    outage(length() / 2).await;
    drop(filler);
    load.accepted_more().await;

    let ledger = load.finish().await;
    let refused = ledger.refused();
    assert!(refused.iter().all(|status| *status == StatusCode::SERVICE_UNAVAILABLE), "{refused:?}");
    // A new process reads the same files: nothing is half written.
    deployment.server.kill();
    deployment.server.start_again();
    ledger.check(&deployment).await;
}

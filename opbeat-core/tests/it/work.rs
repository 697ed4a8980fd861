//! Busy time, and polls that block their executor.

use std::task::Poll;
use std::time::{Duration, Instant};

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{ErrorRecord, TransactionRecord};
use opbeat_core::{Agent, Config};
use opbeat_testing::MemoryExporter;

use crate::PATIENCE;

const THRESHOLD: Duration = Duration::from_millis(1);

fn work(duration: Duration) {
    let start = Instant::now();
    while start.elapsed() < duration {}
}

fn poll_for(transaction: &mut HttpTransaction, duration: Duration) {
    let polled = transaction.poll(|| {
        work(duration);
        Poll::Ready(())
    });
    assert!(polled.is_ready());
}

fn monitored_with_threshold() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default().blocking_threshold(THRESHOLD), exporter.clone()), exporter)
}

/// Records a request. Returns its record and its reports.
fn record(handle: impl FnOnce(&mut HttpTransaction)) -> (TransactionRecord, Vec<ErrorRecord>) {
    let (agent, exporter) = monitored_with_threshold();
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    handle(&mut transaction);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    (exporter.samples().remove(0), exporter.errors())
}

#[test]
fn a_blocking_poll_is_reported_with_its_route() {
    let (sample, errors) = record(|transaction| {
        poll_for(transaction, 2 * THRESHOLD);
        transaction.start_response(200);
    });
    assert_eq!(errors[0].type_name.as_deref(), Some("BlockedExecutor"));
    assert_eq!(errors[0].transaction.as_ref().unwrap().name, "GET unmatched");
    assert!(sample.busy.unwrap() >= 2 * THRESHOLD);
}

#[test]
fn the_time_between_polls_of_a_body_is_not_busy_time() {
    let waited = Duration::from_millis(20);
    let (sample, _) = record(|transaction| {
        transaction.start_response(200);
        work(waited);
        poll_for(transaction, Duration::ZERO);
        work(waited);
        poll_for(transaction, Duration::ZERO);
    });
    assert!(sample.busy.unwrap() <= sample.duration - 2 * waited, "{sample:?}");
}

#[test]
fn the_first_poll_of_a_body_counts_and_is_reported() {
    let (sample, errors) = record(|transaction| {
        transaction.start_response(200);
        poll_for(transaction, 2 * THRESHOLD);
    });
    assert_eq!(errors[0].type_name.as_deref(), Some("BlockedExecutor"));
    assert!(sample.busy.unwrap() >= 2 * THRESHOLD && sample.busy.unwrap() <= sample.duration, "{sample:?}");
}

#[tokio::test]
async fn a_jobs_busy_time_is_recorded_and_blocking_polls_are_reported() {
    let (agent, exporter) = monitored_with_threshold();
    let job = agent.begin_transaction("task.test");
    let waited = Duration::from_millis(20);
    job.wrap(async { work(2 * THRESHOLD) }).await;
    work(waited);
    job.end("shop.mail", "ok");
    agent.flush(PATIENCE).unwrap();
    let sample = exporter.samples().remove(0);
    let busy = sample.busy.unwrap();
    assert!(busy >= 2 * THRESHOLD && busy <= sample.duration - waited, "{sample:?}");
    assert_eq!(exporter.errors()[0].type_name.as_deref(), Some("BlockedExecutor"));
    assert_eq!(exporter.errors()[0].transaction.as_ref().unwrap().name, "shop.mail");
}

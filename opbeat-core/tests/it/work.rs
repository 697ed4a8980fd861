//! The time at work, and polls that hold up their executor.

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

fn watched() -> (Agent, MemoryExporter) {
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default().blocking_threshold(THRESHOLD), exporter.clone()), exporter)
}

/// Records a request. Returns it, and what was reported of it.
fn record(handle: impl FnOnce(&mut HttpTransaction)) -> (TransactionRecord, Vec<ErrorRecord>) {
    let (agent, exporter) = watched();
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    handle(&mut transaction);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    (exporter.samples().remove(0), exporter.errors())
}

#[test]
fn a_poll_that_blocks_is_reported_with_its_route() {
    let (sample, errors) = record(|transaction| {
        poll_for(transaction, 2 * THRESHOLD);
        transaction.head(200);
    });
    assert_eq!(errors[0].type_name.as_deref(), Some("BlockedExecutor"));
    assert_eq!(errors[0].transaction.as_ref().unwrap().name, "GET unmatched");
    assert!(sample.busy.unwrap() >= 2 * THRESHOLD);
}

#[test]
fn what_lies_between_polls_of_a_body_is_no_work() {
    let waited = Duration::from_millis(20);
    let (sample, _) = record(|transaction| {
        transaction.head(200);
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
        transaction.head(200);
        poll_for(transaction, 2 * THRESHOLD);
    });
    assert_eq!(errors[0].type_name.as_deref(), Some("BlockedExecutor"));
    assert!(sample.busy.unwrap() >= 2 * THRESHOLD && sample.busy.unwrap() <= sample.duration, "{sample:?}");
}

#[tokio::test]
async fn a_jobs_time_at_work_is_told_and_its_polls_that_block_are_reported() {
    let (agent, exporter) = watched();
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

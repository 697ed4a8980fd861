//! The current transaction on tasks, threads and pools, and the guards that set it.

use std::time::Duration;

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Outcome, TransactionRecord};
use opbeat_core::task::{JoinSetExt, spawn, spawn_blocking};
use opbeat_core::{Span, in_span, span};
use tokio::task::JoinSet;

use crate::{PATIENCE, monitored};

pub(crate) fn step(name: &'static str) {
    drop::<Span>(span(name, "code"));
}

pub(crate) fn spans(sample: &TransactionRecord) -> Vec<&str> {
    let mut spans: Vec<&str> = sample.spans.iter().map(|span| &*span.signature).collect();
    spans.sort_unstable();
    spans
}

#[tokio::test]
async fn work_on_other_tasks_and_threads_joins_its_transaction() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let work = async {
        spawn(async { step("spawned") }).await.unwrap();
        spawn_blocking(|| step("blocking")).await.unwrap();
        let mut set = JoinSet::new();
        set.spawn_current(async { step("in a set") });
        set.spawn_blocking_current(|| step("blocking in a set"));
        set.join_all().await;
        let current = opbeat_core::current();
        std::thread::scope(|scope| scope.spawn(|| current.run(|| step("on a thread"))).join().unwrap());
        rayon::join(|| current.run(|| step("on a pool")), || current.run(|| step("on a pool too")));
        tokio::join!(in_span("one branch", "code", async {}), in_span("another branch", "code", async {}));
    };
    transaction.wrap(work).await;
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    let expected = [
        "another branch",
        "blocking",
        "blocking in a set",
        "in a set",
        "on a pool",
        "on a pool too",
        "on a thread",
        "one branch",
        "spawned",
    ];
    assert_eq!(spans(&exporter.samples()[0]), expected);
}

#[test]
fn the_time_in_the_queue_of_a_proxy_is_recorded() {
    let (agent, exporter) = monitored();
    let arrived = std::time::SystemTime::now() - Duration::from_secs(2);
    let since = arrived.duration_since(std::time::UNIX_EPOCH).unwrap();
    let values = [format!("t={}", since.as_secs_f64()), since.as_millis().to_string(), since.as_micros().to_string()];
    for value in &values {
        HttpTransaction::begin(&agent, "web.test", "GET", |request| {
            request.set_line("GET", "/");
            request.push_header("x-request-start", value.as_bytes());
        })
        .end(Outcome::ServerError);
    }
    agent.flush(PATIENCE).unwrap();
    let queued: Vec<u64> = exporter.samples().iter().map(|sample| sample.queued.unwrap().as_secs()).collect();
    assert!(queued.len() == 3 && queued.iter().all(|seconds| (2..10).contains(seconds)), "{queued:?}");
}

#[test]
fn spans_without_a_transaction_are_counted() {
    let (agent, _exporter) = monitored();
    let before = agent.diagnose().spans_without_transaction;
    step("without a transaction");
    assert!(agent.diagnose().spans_without_transaction > before);
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let (agent, _exporter) = monitored();
    let [first, second, third] = ["first", "second", "third"].map(|_| agent.begin_transaction("task.test"));
    let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for order in orders {
        let mut guards = [&first, &second, &third].map(|transaction| Some(transaction.enter()));
        order.iter().for_each(|&index| drop(guards[index].take()));
        assert!(!opbeat_core::current().is_recording(), "{order:?}");
    }
    let outer = first.enter();
    drop([first.enter(), first.enter(), second.enter()]);
    assert_eq!(opbeat_core::current().id(), first.id());
    drop(outer);
    assert!(!opbeat_core::current().is_recording());
}

#[test]
fn an_ended_transaction_does_not_hide_a_request() {
    let (agent, exporter) = monitored();
    let begin = || HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    let ended = begin();
    let _entered = ended.current().enter();
    ended.complete();
    begin().complete();
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.count("GET unmatched"), 2);
}

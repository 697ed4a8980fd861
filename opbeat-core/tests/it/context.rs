use std::time::Duration;

use opbeat_core::http::HttpTransaction;
use opbeat_core::task::{JoinSetExt, spawn, spawn_blocking};
use opbeat_core::{Agent, Config, Outcome, Span, TransactionRecord, in_span, span};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::{PATIENCE, monitored};

fn step(name: &'static str) {
    drop::<Span>(span(name, "code"));
}

fn spans(sample: &TransactionRecord) -> Vec<&str> {
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

#[tokio::test]
async fn what_nobody_waits_for_becomes_a_transaction_of_its_own() {
    let (agent, exporter) = monitored();
    let (go, gone) = oneshot::channel::<()>();
    let parent = agent.begin_transaction("task.test");
    let id = parent.id();
    let task = parent.run(|| {
        spawn(async {
            gone.await.unwrap();
            step("later");
        })
    });
    parent.end("test", "ok");
    go.send(()).unwrap();
    task.await.unwrap();
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    let child = samples.iter().find(|sample| sample.kind == "task.detached").expect("the task goes on alone");
    assert!(child.name.to_string().starts_with("it::context::what_nobody_waits_for"), "{}", child.name);
    assert_eq!((child.parent, spans(child)), (id, vec!["later"]));
}

#[tokio::test]
async fn a_panic_in_a_task_of_its_own_is_reported() {
    let (agent, exporter) = monitored();
    let (go, gone) = oneshot::channel::<()>();
    let parent = agent.begin_transaction("task.test");
    let task = parent.run(|| {
        spawn(async {
            gone.await.unwrap();
            panic!("no stamps");
        })
    });
    parent.end("test", "ok");
    go.send(()).unwrap();
    assert!(task.await.is_err());
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.errors()[0].message, "no stamps");
    assert!(exporter.samples().iter().any(|sample| sample.outcome == Outcome::Panicked));
}

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn a_trace_goes_through() {
    let (agent, exporter) = monitored();
    let transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        request.push_header("traceparent", TRACE.as_bytes());
    });
    let out = transaction.current().trace_parent().unwrap();
    assert_eq!(out.trace_id, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
    assert_ne!(out.parent_id, 0x00f0_67aa_0ba9_02b7, "what is called is called by us");
    transaction.end(Outcome::Ok);
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.samples()[0].trace.unwrap().to_string(), TRACE);
}

#[test]
fn waiting_in_front_of_the_application_is_told() {
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
    step("lost");
    assert!(agent.diagnose().spans_without_transaction > before);
}

#[test]
fn a_poll_that_blocks_is_reported_with_its_route() {
    let exporter = opbeat_core::testing::MemoryExporter::default();
    let config = Config::default().blocking_threshold(Duration::from_millis(1));
    let agent = Agent::with_exporter(&config, exporter.clone());
    let mut transaction = HttpTransaction::begin(&agent, "web.test", "GET", |request| request.set_line("GET", "/"));
    let blocked = transaction.poll(|| {
        let start = std::time::Instant::now();
        while start.elapsed() < Duration::from_millis(2) {}
        std::task::Poll::Ready(())
    });
    assert!(blocked.is_ready());
    transaction.head(200);
    transaction.complete();
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    assert_eq!(error.type_name.as_deref(), Some("BlockedExecutor"));
    assert_eq!(error.transaction.unwrap().name, "GET unmatched");
    assert!(exporter.samples()[0].busy.unwrap() >= Duration::from_millis(2));
}

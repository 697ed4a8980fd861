//! Late work: work that outlives its transaction.

use std::sync::mpsc;
use std::thread;

use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::{Outcome, TransactionRecord};
use opbeat_core::task::{JoinSetExt, spawn, spawn_blocking, spawn_local};
use opbeat_core::{Agent, CurrentTransaction, User, current, in_span, span};
use opbeat_testing::MemoryExporter;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet};

use crate::context::{spans, step};
use crate::traces::TRACE;
use crate::{PATIENCE, monitored};

/// Begins a request with a trace, a user and a tag.
fn request(agent: &Agent) -> HttpTransaction {
    let mut transaction = HttpTransaction::begin(agent, "web.test", "GET", |request| {
        request.set_line("GET", "/books/1");
        request.push_header("traceparent", TRACE.as_bytes());
    });
    transaction.set_route_name(route("GET", "/books/{id}"));
    transaction.current().set_user(User::new(42));
    transaction.current().set_tag("plan", "gold");
    transaction
}

fn end(mut transaction: HttpTransaction) {
    transaction.start_response(200);
    transaction.complete();
}

fn failure() -> std::num::ParseIntError {
    "no stamps".parse::<u32>().unwrap_err()
}

/// Returns the transaction that late work has begun.
fn child(agent: &Agent, exporter: &MemoryExporter) -> TransactionRecord {
    agent.flush(PATIENCE).unwrap();
    let mut children: Vec<_> = exporter.samples().into_iter().filter(|sample| sample.kind == "task.detached").collect();
    assert_eq!(children.len(), 1, "the work continues in one transaction");
    children.remove(0)
}

/// Spawns a task in a request with `spawn`, ends the request, and then lets the task continue.
async fn outlive<F: Future<Output = ()>>(
    agent: &Agent,
    spawn: impl FnOnce(oneshot::Receiver<()>) -> F,
) -> CurrentTransaction {
    let transaction = request(agent);
    let parent = transaction.current();
    let (notify, ended) = oneshot::channel::<()>();
    let task = parent.run(|| spawn(ended));
    // The task begins while the request runs.
    tokio::task::yield_now().await;
    end(transaction);
    notify.send(()).unwrap();
    task.await;
    parent
}

#[tokio::test]
async fn a_task_that_outlives_its_request_gets_its_own_transaction() {
    let (agent, exporter) = monitored();
    let parent = outlive(&agent, |ended| {
        let task = spawn(async {
            ended.await.unwrap();
            step("later");
        });
        async { task.await.unwrap() }
    })
    .await;
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::a_task_that_outlives_its_request"), "{}", child.name);
    assert_eq!((child.parent, spans(&child)), (parent.id(), vec!["later"]));
    assert_eq!(child.trace.unwrap().trace_id, parent.trace_parent().unwrap().trace_id);
    assert_eq!(format!("{:032x}", child.trace.unwrap().trace_id), TRACE[3..35], "the caller's trace continues");
    assert_eq!(child.user, Some(User::new(42)));
    assert_eq!(child.tags, [("plan".into(), "gold".into())]);
    assert!(child.busy.is_some());
}

fn boxed(work: impl Future<Output = ()> + Send + 'static) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(work)
}

#[tokio::test]
async fn running_spans_continue_in_the_tasks_own_transaction() {
    let (agent, exporter) = monitored();
    let work = |ended: oneshot::Receiver<()>| {
        let sending = in_span("send", "ext.smtp", async {
            ended.await.unwrap();
            step("connect");
            current().set_tag("mails", 3);
            current().capture_error(&failure());
        });
        in_span("mail", "task", async {
            sending.await;
            step("note");
        })
        .extra("to", "ada")
    };
    outlive(&agent, |ended| {
        let task = spawn(work(ended));
        async { task.await.unwrap() }
    })
    .await;
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::running_spans_continue"), "{}", child.name);
    let tree: Vec<_> = child.spans.iter().map(|span| (&*span.signature, span.parent)).collect();
    assert_eq!(tree, [("mail", None), ("send", Some(0)), ("connect", Some(1)), ("note", Some(0))]);
    assert_eq!(child.spans[0].extra, [("to".into(), "ada".into())]);
    assert!(child.spans.iter().all(|span| span.duration.is_some()));
    assert_eq!(child.tags.len(), 2, "{:?}", child.tags);
    let error = exporter.errors().remove(0);
    assert_eq!(error.transaction.unwrap().name, child.name.to_string());
}

#[tokio::test]
async fn work_of_an_opaque_type_is_named_after_its_line() {
    let (agent, exporter) = monitored();
    let line = line!() + 3;
    outlive(&agent, |ended| {
        let work = boxed(async { ended.await.unwrap() });
        let task = spawn(work);
        async { task.await.unwrap() }
    })
    .await;
    assert_eq!(child(&agent, &exporter).name.to_string(), format!("{}:{line}", file!()));
}

#[tokio::test]
async fn late_work_can_set_its_name() {
    let (agent, exporter) = monitored();
    outlive(&agent, |ended| {
        let task = spawn(async {
            ended.await.unwrap();
            current().set_name("shop.mail");
        });
        async { task.await.unwrap() }
    })
    .await;
    assert_eq!(child(&agent, &exporter).name.to_string(), "shop.mail");
}

#[tokio::test]
async fn local_tasks_continue_too() {
    let (agent, exporter) = monitored();
    let work = outlive(&agent, |ended| {
        let held = std::rc::Rc::new(());
        let task = spawn_local(async move {
            ended.await.unwrap();
            drop(held);
            step("later");
        });
        async { task.await.unwrap() }
    });
    LocalSet::new().run_until(work).await;
    assert_eq!(spans(&child(&agent, &exporter)), ["later"]);
}

#[tokio::test]
async fn tasks_of_a_join_set_continue_too() {
    let (agent, exporter) = monitored();
    let (blocks, blocked) = mpsc::channel::<()>();
    let work = outlive(&agent, |ended| {
        let mut set = JoinSet::new();
        set.spawn_current(async {
            ended.await.unwrap();
            step("a task");
            drop(blocks);
        });
        set.spawn_local_current(async { step("in time") });
        set.spawn_blocking_current(move || {
            assert!(blocked.recv().is_err());
            step("a thread");
        });
        async { drop(set.join_all().await) }
    });
    LocalSet::new().run_until(work).await;
    agent.flush(PATIENCE).unwrap();
    let samples = exporter.samples();
    let mut found: Vec<_> = samples.iter().map(|sample| (&*sample.kind, spans(sample))).collect();
    found.sort();
    let expected =
        [("task.detached", vec!["a task"]), ("task.detached", vec!["a thread"]), ("web.test", vec!["in time"])];
    assert_eq!(found, expected);
}

#[tokio::test]
async fn blocking_work_continues_after_its_request() {
    let (agent, exporter) = monitored();
    let transaction = request(&agent);
    let (started, has_started) = mpsc::channel::<()>();
    let (notify, ended) = mpsc::channel::<()>();
    let task = transaction.current().run(|| {
        spawn_blocking(move || {
            step("in time");
            started.send(()).unwrap();
            ended.recv().unwrap();
            step("late");
            current().capture_error(&failure());
        })
    });
    has_started.recv().unwrap();
    end(transaction);
    notify.send(()).unwrap();
    task.await.unwrap();
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::blocking_work_continues"), "{}", child.name);
    assert_eq!((spans(&child), child.result.to_string()), (vec!["late"], "ok".to_owned()));
    assert_eq!(exporter.errors()[0].transaction.as_ref().unwrap().id, child.id);
    let request = exporter.samples().into_iter().find(|sample| sample.kind == "web.test").unwrap();
    assert_eq!(spans(&request), ["in time"]);
}

#[test]
fn a_thread_that_begins_late_gets_its_own_transaction() {
    let (agent, exporter) = monitored();
    let transaction = request(&agent);
    let work = transaction.current().wrap_fn(|| {
        let _printing = span("print", "code");
        panic!("no paper");
    });
    end(transaction);
    assert!(thread::spawn(work).join().is_err());
    let child = child(&agent, &exporter);
    assert_eq!((child.outcome, spans(&child)), (Outcome::Panicked, vec!["print"]));
    assert_eq!(exporter.errors()[0].message, "no paper");
}

#[test]
fn spans_of_a_transaction_that_has_ended_are_counted() {
    let (agent, _exporter) = monitored();
    let before = agent.diagnose().spans_without_transaction;
    let transaction = request(&agent);
    let ended = transaction.current();
    end(transaction);
    ended.run(|| step("without a transaction"));
    assert!(agent.diagnose().spans_without_transaction > before);
}

#[tokio::test]
async fn an_error_of_late_blocking_work_keeps_the_facts_of_its_request() {
    let (agent, exporter) = monitored();
    let transaction = request(&agent);
    let handle = transaction.current();
    end(transaction);
    spawn_blocking(move || handle.capture_error(&failure())).await.unwrap();
    agent.flush(PATIENCE).unwrap();
    let error = exporter.errors().remove(0);
    let reference = error.transaction.unwrap();
    assert_eq!((reference.name.as_str(), &*reference.kind), ("GET /books/{id}", "web.test"));
    assert_eq!((error.request.unwrap().target(), error.user), ("/books/1".to_owned(), Some(User::new(42))));
}

#[tokio::test]
async fn a_panic_of_late_work_is_reported() {
    let (agent, exporter) = monitored();
    outlive(&agent, |ended| {
        let task = spawn(async {
            ended.await.unwrap();
            panic!("no stamps");
        });
        async { assert!(task.await.is_err()) }
    })
    .await;
    assert_eq!(child(&agent, &exporter).outcome, Outcome::Panicked);
    assert_eq!(exporter.errors()[0].message, "no stamps");
}

#[tokio::test]
async fn aborted_late_work_counts_as_cancelled() {
    let (agent, exporter) = monitored();
    let (started, has_started) = oneshot::channel::<()>();
    outlive(&agent, |ended| {
        let task = spawn(async {
            ended.await.unwrap();
            step("later");
            started.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        async {
            has_started.await.unwrap();
            task.abort();
            assert!(task.await.is_err());
        }
    })
    .await;
    assert_eq!(child(&agent, &exporter).result.to_string(), "cancelled");
}

#[tokio::test]
async fn work_that_ends_in_time_begins_no_transaction() {
    let (agent, exporter) = monitored();
    let transaction = request(&agent);
    let mut work = Box::pin(transaction.current().detach(async { step("in time") }));
    (&mut work).await;
    end(transaction);
    drop(work);
    agent.flush(PATIENCE).unwrap();
    let kinds: Vec<_> = exporter.durations().into_iter().map(|group| group.kind).collect();
    assert_eq!(kinds, ["web.test"]);
}

#[tokio::test]
#[should_panic(expected = "a future is not polled again after it has completed")]
async fn a_future_that_is_polled_after_completion_panics() {
    let mut work = Box::pin(current().detach(std::future::ready(())));
    (&mut work).await;
    work.await;
}

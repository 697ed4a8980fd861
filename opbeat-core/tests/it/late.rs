//! Work that outlives its transaction.

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

/// Begins a request that says of itself what errors show.
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
    transaction.head(200);
    transaction.complete();
}

fn failure() -> std::num::ParseIntError {
    "no stamps".parse::<u32>().unwrap_err()
}

/// Returns the transaction that late work has begun.
fn child(agent: &Agent, exporter: &MemoryExporter) -> TransactionRecord {
    agent.flush(PATIENCE).unwrap();
    let mut children: Vec<_> = exporter.samples().into_iter().filter(|sample| sample.kind == "task.detached").collect();
    assert_eq!(children.len(), 1, "the work goes on in one transaction");
    children.remove(0)
}

/// Spawns a task in a request by `spawn`, ends the request, and lets the task go on.
async fn outlive<F: Future<Output = ()>>(
    agent: &Agent,
    spawn: impl FnOnce(oneshot::Receiver<()>) -> F,
) -> CurrentTransaction {
    let transaction = request(agent);
    let parent = transaction.current();
    let (go, gone) = oneshot::channel::<()>();
    let task = parent.run(|| spawn(gone));
    // The task begins while the request runs.
    tokio::task::yield_now().await;
    end(transaction);
    go.send(()).unwrap();
    task.await;
    parent
}

#[tokio::test]
async fn what_nobody_waits_for_becomes_a_transaction_of_its_own() {
    let (agent, exporter) = monitored();
    let parent = outlive(&agent, |gone| {
        let task = spawn(async {
            gone.await.unwrap();
            step("later");
        });
        async { task.await.unwrap() }
    })
    .await;
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::what_nobody_waits_for"), "{}", child.name);
    assert_eq!((child.parent, spans(&child)), (parent.id(), vec!["later"]));
    assert_eq!(child.trace.unwrap().trace_id, parent.trace_parent().unwrap().trace_id);
    assert_eq!(format!("{:032x}", child.trace.unwrap().trace_id), TRACE[3..35], "the caller's trace goes on");
    assert_eq!(child.user, Some(User::new(42)));
    assert_eq!(child.tags, [("plan".into(), "gold".into())]);
    assert!(child.busy.is_some());
}

fn boxed(work: impl Future<Output = ()> + Send + 'static) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(work)
}

#[tokio::test]
async fn spans_in_flight_move_on_with_their_task() {
    let (agent, exporter) = monitored();
    let work = |gone: oneshot::Receiver<()>| {
        let sending = in_span("send", "ext.smtp", async {
            gone.await.unwrap();
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
    outlive(&agent, |gone| {
        let task = spawn(work(gone));
        async { task.await.unwrap() }
    })
    .await;
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::spans_in_flight_move_on"), "{}", child.name);
    let tree: Vec<_> = child.spans.iter().map(|span| (&*span.signature, span.parent)).collect();
    assert_eq!(tree, [("mail", None), ("send", Some(0)), ("connect", Some(1)), ("note", Some(0))]);
    assert_eq!(child.spans[0].extra, [("to".into(), "ada".into())]);
    assert!(child.spans.iter().all(|span| span.duration.is_some()));
    assert_eq!(child.tags.len(), 2, "{:?}", child.tags);
    let error = exporter.errors().remove(0);
    assert_eq!(error.transaction.unwrap().name, child.name.to_string());
}

#[tokio::test]
async fn work_whose_type_says_nothing_is_named_after_its_line() {
    let (agent, exporter) = monitored();
    let line = line!() + 3;
    outlive(&agent, |gone| {
        let work = boxed(async { gone.await.unwrap() });
        let task = spawn(work);
        async { task.await.unwrap() }
    })
    .await;
    assert_eq!(child(&agent, &exporter).name.to_string(), format!("{}:{line}", file!()));
}

#[tokio::test]
async fn a_name_that_late_work_chooses_stays() {
    let (agent, exporter) = monitored();
    outlive(&agent, |gone| {
        let task = spawn(async {
            gone.await.unwrap();
            current().set_name("shop.mail");
        });
        async { task.await.unwrap() }
    })
    .await;
    assert_eq!(child(&agent, &exporter).name.to_string(), "shop.mail");
}

#[tokio::test]
async fn work_that_stays_on_its_thread_goes_on_too() {
    let (agent, exporter) = monitored();
    let work = outlive(&agent, |gone| {
        let held = std::rc::Rc::new(());
        let task = spawn_local(async move {
            gone.await.unwrap();
            drop(held);
            step("later");
        });
        async { task.await.unwrap() }
    });
    LocalSet::new().run_until(work).await;
    assert_eq!(spans(&child(&agent, &exporter)), ["later"]);
}

#[tokio::test]
async fn sets_of_tasks_go_on_too() {
    let (agent, exporter) = monitored();
    let (blocks, blocked) = mpsc::channel::<()>();
    let work = outlive(&agent, |gone| {
        let mut set = JoinSet::new();
        set.spawn_current(async {
            gone.await.unwrap();
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
async fn blocking_work_goes_on_when_its_request_ends_meanwhile() {
    let (agent, exporter) = monitored();
    let transaction = request(&agent);
    let (tell, told) = mpsc::channel::<()>();
    let (go, gone) = mpsc::channel::<()>();
    let task = transaction.current().run(|| {
        spawn_blocking(move || {
            step("in time");
            tell.send(()).unwrap();
            gone.recv().unwrap();
            step("late");
            current().capture_error(&failure());
        })
    });
    told.recv().unwrap();
    end(transaction);
    go.send(()).unwrap();
    task.await.unwrap();
    let child = child(&agent, &exporter);
    assert!(child.name.to_string().starts_with("it::late::blocking_work_goes_on"), "{}", child.name);
    assert_eq!((spans(&child), child.result.to_string()), (vec!["late"], "ok".to_owned()));
    assert_eq!(exporter.errors()[0].transaction.as_ref().unwrap().id, child.id);
    let request = exporter.samples().into_iter().find(|sample| sample.kind == "web.test").unwrap();
    assert_eq!(spans(&request), ["in time"]);
}

#[test]
fn a_thread_that_begins_late_is_a_transaction_of_its_own() {
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
    ended.run(|| step("lost"));
    assert!(agent.diagnose().spans_without_transaction > before);
}

#[tokio::test]
async fn an_error_of_late_blocking_work_keeps_what_its_request_said() {
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
async fn a_panic_in_a_task_of_its_own_is_reported() {
    let (agent, exporter) = monitored();
    outlive(&agent, |gone| {
        let task = spawn(async {
            gone.await.unwrap();
            panic!("no stamps");
        });
        async { assert!(task.await.is_err()) }
    })
    .await;
    assert_eq!(child(&agent, &exporter).outcome, Outcome::Panicked);
    assert_eq!(exporter.errors()[0].message, "no stamps");
}

#[tokio::test]
async fn late_work_that_is_stopped_was_cancelled() {
    let (agent, exporter) = monitored();
    let (tell, told) = oneshot::channel::<()>();
    outlive(&agent, |gone| {
        let task = spawn(async {
            gone.await.unwrap();
            step("later");
            tell.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        async {
            told.await.unwrap();
            task.abort();
            assert!(task.await.is_err());
        }
    })
    .await;
    assert_eq!(child(&agent, &exporter).result.to_string(), "cancelled");
}

#[tokio::test]
async fn work_that_is_done_in_time_leaves_nothing_behind() {
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
#[should_panic(expected = "a future is not polled again after its end")]
async fn a_future_that_is_polled_after_its_end_says_so() {
    let mut work = Box::pin(current().detach(std::future::ready(())));
    (&mut work).await;
    work.await;
}

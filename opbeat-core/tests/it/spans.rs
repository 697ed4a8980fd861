//! Span trees.

use opbeat_core::record::TransactionRecord;
use opbeat_core::{in_span, span};
use tokio::sync::oneshot;

use crate::{PATIENCE, monitored};

/// Draws the spans as an indented list.
fn tree(sample: &TransactionRecord) -> String {
    let depth = |mut parent: Option<usize>| {
        let mut depth = 0;
        while let Some(index) = parent {
            depth += 1;
            parent = sample.spans[index].parent;
        }
        depth
    };
    let line = |span: &opbeat_core::record::SpanRecord| {
        let end = if span.duration.is_some() { "" } else { " (not ended)" };
        format!("{}{} [{}]{end}", "  ".repeat(depth(span.parent)), span.signature, span.kind)
    };
    sample.spans.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn record(job: impl FnOnce()) -> TransactionRecord {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        job();
    }
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    exporter.samples().remove(0)
}

async fn record_async(job: impl Future<Output = ()>) -> TransactionRecord {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    transaction.wrap(job).await;
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    exporter.samples().remove(0)
}

#[test]
fn spans_nest_while_their_guards_live() {
    let sample = record(|| {
        let outer = span("render", "template");
        drop(span("SELECT FROM books", "db.sqlite.query"));
        drop(span("SELECT FROM authors", "db.sqlite.query"));
        drop(outer);
        drop(span("GET prices.example", "ext.http"));
    });
    insta::assert_snapshot!(tree(&sample), @r"
    render [template]
      SELECT FROM books [db.sqlite.query]
      SELECT FROM authors [db.sqlite.query]
    GET prices.example [ext.http]
    ");
}

#[test]
fn guards_may_be_dropped_in_any_order() {
    let sample = record(|| {
        let first = span("first", "app");
        let second = span("second", "app");
        drop(first);
        let third = span("third", "app");
        drop(second);
        drop(third);
        drop(span("fourth", "app"));
    });
    insta::assert_snapshot!(tree(&sample), @r"
    first [app]
      second [app]
        third [app]
    fourth [app]
    ");
}

#[test]
fn spans_in_a_leaf_are_not_recorded() {
    let sample = record(|| {
        let query = span("SELECT FROM books", "db.orm").leaf();
        drop(span("SELECT FROM books", "db.sqlite.query"));
        drop(query);
        drop(span("after", "app"));
    });
    insta::assert_snapshot!(tree(&sample), @r"
    SELECT FROM books [db.orm]
    after [app]
    ");
}

#[test]
fn spans_that_outlive_the_transaction_are_marked() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let span = transaction.span("slow", "app");
    transaction.end("test", "ok");
    drop(span);
    agent.flush(PATIENCE).unwrap();
    insta::assert_snapshot!(tree(&exporter.samples()[0]), @"slow [app] (not ended)");
}

#[test]
fn spans_that_never_close_are_counted() {
    let (agent, exporter) = monitored();
    let before = agent.diagnose().unfinished_spans;
    let transaction = agent.begin_transaction("task.test");
    std::mem::forget(transaction.span("forgotten", "app"));
    let kept = transaction.span("kept", "app");
    transaction.end("test", "ok");
    kept.set_extra("too", "late");
    std::thread::spawn(|| drop(kept)).join().unwrap();
    agent.flush(PATIENCE).unwrap();
    insta::assert_snapshot!(tree(&exporter.samples()[0]), @r"
    forgotten [app] (not ended)
    kept [app] (not ended)
    ");
    let diagnosis = agent.diagnose();
    assert!(diagnosis.unfinished_spans >= before + 2, "{diagnosis}");
    assert!(diagnosis.to_string().contains("spans that outlived their transaction: "), "{diagnosis}");
}

#[tokio::test]
async fn spans_last_over_await() {
    let sample = record_async(async {
        let outer = span("outer", "app");
        tokio::task::yield_now().await;
        assert!(opbeat_core::current().is_recording());
        drop(span("inner", "app"));
        drop(outer);
    })
    .await;
    insta::assert_snapshot!(tree(&sample), @r"
    outer [app]
      inner [app]
    ");
}

#[tokio::test]
async fn futures_polled_in_turn_keep_their_spans_separate() {
    let sample = record_async(async {
        let (first_done, first) = oneshot::channel::<()>();
        let (second_done, second) = oneshot::channel::<()>();
        let left = in_span("left", "app", async {
            second.await.unwrap();
            drop(span("within left", "app"));
            first_done.send(()).unwrap();
        });
        let right = in_span("right", "app", async {
            second_done.send(()).unwrap();
            first.await.unwrap();
            drop(span("within right", "app"));
        });
        tokio::join!(left, right);
        drop(span("after", "app"));
    })
    .await;
    insta::assert_snapshot!(tree(&sample), @r"
    left [app]
    right [app]
      within left [app]
      within right [app]
    after [app]
    ");
}

#[tokio::test]
async fn a_future_that_is_dropped_ends_its_span() {
    let sample = record_async(async {
        let mut never = Box::pin(in_span("never", "app", std::future::pending::<()>()).extra("url", "/x").leaf());
        tokio::select! {
            biased;
            () = &mut never => {}
            () = tokio::task::yield_now() => {}
        }
        drop(never);
        drop(span("after", "app"));
    })
    .await;
    insta::assert_snapshot!(tree(&sample), @r"
    never [app]
    after [app]
    ");
    assert_eq!(sample.spans[0].extra, [("url".into(), "/x".into())]);
}

#[tokio::test]
async fn tasks_on_one_thread_never_see_each_others_transaction() {
    let (agent, exporter) = monitored();
    let jobs = (0..20).map(|number: u32| {
        let transaction = agent.begin_transaction("task.test");
        tokio::spawn(async move {
            let id = transaction.id();
            transaction
                .wrap(async {
                    for _ in 0..10 {
                        assert_eq!(opbeat_core::current().id(), id);
                        tokio::task::yield_now().await;
                    }
                })
                .await;
            assert!(!opbeat_core::current().is_recording());
            transaction.end(format!("job {number}"), "ok");
        })
    });
    for job in jobs.collect::<Vec<_>>() {
        job.await.unwrap();
    }
    agent.flush(PATIENCE).unwrap();
    assert_eq!(exporter.durations().len(), 20);
}

#[tokio::test]
async fn a_wrapped_task_is_part_of_the_transaction() {
    let sample = record_async(async {
        let work = opbeat_core::current().wrap(async { drop(span("in the task", "app")) });
        tokio::spawn(work).await.unwrap();
    })
    .await;
    insta::assert_snapshot!(tree(&sample), @"in the task [app]");
}

#[test]
fn a_closure_records_spans_after_the_leaf_of_its_context_has_ended() {
    let sample = record(|| {
        let outer = span("outer", "app");
        let query = span("SELECT FROM books", "db.orm").leaf();
        let during = opbeat_core::current().wrap_fn(|| drop(span("during", "app")));
        let after = opbeat_core::current().wrap_fn(|| drop(span("after", "app")));
        during();
        drop(query);
        after();
        drop(outer);
    });
    insta::assert_snapshot!(tree(&sample), @r"
    outer [app]
      SELECT FROM books [db.orm]
      after [app]
    ");
}

#[test]
fn the_last_value_of_a_spans_key_wins() {
    let sample = record(|| {
        let outer = span("import", "app");
        let inner = span("INSERT INTO books", "db.sqlite.query");
        for rows in 0..1_000 {
            outer.set_extra("rows", rows);
            inner.set_extra(format!("value {rows}"), rows);
        }
        outer.set_extra("file", "books.csv");
    });
    assert_eq!(sample.spans[0].extra, [("rows".into(), 999.into()), ("file".into(), "books.csv".into())]);
    assert_eq!(sample.spans[1].extra.len(), 64);
}

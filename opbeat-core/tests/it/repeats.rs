//! Equal spans that are combined, and spans beyond the limit.

use std::time::{Duration, Instant};

use opbeat_core::instrument::{FinishedSpan, Position};
use opbeat_core::record::{BreakdownRecord, SpanRecord, TransactionRecord};
use opbeat_core::{Agent, Config, in_span, span};
use opbeat_testing::MemoryExporter;
use tokio::task::JoinSet;

use crate::{PATIENCE, monitored};

const QUERY: &str = "db.sqlite.query";

fn record_with(config: &Config, job: impl FnOnce()) -> (TransactionRecord, Vec<BreakdownRecord>) {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(config, exporter.clone());
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        job();
    }
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    (exporter.samples().remove(0), exporter.breakdown())
}

fn record(job: impl FnOnce()) -> (TransactionRecord, Vec<BreakdownRecord>) {
    record_with(&Config::default(), job)
}

/// Lists the spans as `index of the parent: signature × count`.
fn list(sample: &TransactionRecord) -> String {
    let line = |span: &SpanRecord| {
        let parent = span.parent.map_or("-".to_owned(), |parent| parent.to_string());
        let flag = if span.n_plus_one { " N+1" } else { "" };
        format!("{parent}: {} × {}{flag}", span.signature, span.count)
    };
    sample.spans.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn select(table: &'static str) {
    drop(span(format!("SELECT FROM {table}"), QUERY).leaf());
}

fn position() -> Position {
    Position::current().expect("the job is a transaction")
}

/// The self times of code without concurrency add up to the whole time.
fn assert_complete(breakdown: &[BreakdownRecord], sample: &TransactionRecord) {
    let sum: Duration = breakdown.iter().map(|part| part.self_time).sum();
    assert_eq!(sum, sample.duration, "{breakdown:#?}");
}

fn count(breakdown: &[BreakdownRecord], kind: &str) -> u64 {
    breakdown.iter().filter(|part| part.span_kind == kind).map(|part| part.count).sum()
}

#[test]
fn equal_leaf_spans_are_combined() {
    let (sample, breakdown) = record(|| {
        let outer = span("render", "template");
        for book in 0..2_000 {
            let query = span("SELECT FROM authors", QUERY).leaf();
            query.set_extra("sql", format!("SELECT name FROM authors WHERE book = {book}"));
            query.set_extra("rows", 1);
        }
        select("books");
        drop(outer);
        select("books");
    });
    insta::assert_snapshot!(list(&sample), @r"
    -: render × 1
    0: SELECT FROM authors × 2000 N+1
    0: SELECT FROM books × 1
    -: SELECT FROM books × 1
    ");
    let combined = &sample.spans[1];
    assert_eq!(combined.extra[0], ("sql".into(), "SELECT name FROM authors WHERE book = 0".into()));
    assert_eq!((combined.extra.len(), combined.is_leaf), (2, true));
    assert!(combined.total <= combined.duration.unwrap(), "{combined:#?}");
    assert_eq!(sample.spans[2].total, sample.spans[2].duration.unwrap());
    assert_eq!((count(&breakdown, QUERY), sample.dropped_spans), (2_002, 0));
    assert_complete(&breakdown, &sample);
}

#[test]
fn different_spans_are_not_combined() {
    let (sample, breakdown) = record(|| {
        select("books");
        drop(span("SELECT FROM books", "db.mysql.query").leaf());
        drop(span("SELECT FROM books", QUERY));
        drop(span("SELECT FROM books", QUERY));
        for _ in 0..2 {
            span("SELECT FROM books", QUERY).leaf().set_extra("error", "locked");
        }
        let parent = span("SELECT FROM books", QUERY);
        drop(span("connect", "db.sqlite.connect"));
        let parent = parent.leaf();
        drop(span("in the leaf", "app"));
        drop(parent);
        select("books");
    });
    insta::assert_snapshot!(list(&sample), @r"
    -: SELECT FROM books × 2
    -: SELECT FROM books × 1
    -: SELECT FROM books × 1
    -: SELECT FROM books × 1
    -: SELECT FROM books × 2
    -: SELECT FROM books × 1
    5: connect × 1
    ");
    assert_eq!(count(&breakdown, QUERY), 7);
}

#[test]
fn finished_spans_are_combined_with_running_ones() {
    let (sample, breakdown) = record(|| {
        select("books");
        for _ in 0..3 {
            let finished = FinishedSpan::new("SELECT FROM books", QUERY, Duration::from_nanos(1)).leaf();
            position().record(finished.extra("rows", 2));
        }
        position().start("query", "db").end_as(FinishedSpan::new("SELECT FROM books", QUERY, Duration::ZERO).leaf());
    });
    insta::assert_snapshot!(list(&sample), @"-: SELECT FROM books × 5 N+1");
    assert_complete(&breakdown, &sample);
}

#[tokio::test]
async fn concurrent_repeats_are_combined() {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    let work = async {
        let (go, _) = tokio::sync::broadcast::channel::<()>(1);
        let mut tasks = JoinSet::new();
        for _ in 0..10_000 {
            let mut wait = go.subscribe();
            let query = in_span("SELECT FROM authors", QUERY, async move { wait.recv().await.unwrap() }).leaf();
            tasks.spawn(opbeat_core::current().wrap(query));
        }
        // All of them run at once: each is polled once before the message.
        while tasks.len() < 10_000 {}
        tokio::task::yield_now().await;
        drop(span("during", "app"));
        go.send(()).unwrap();
        tasks.join_all().await;
        drop(span("after", "app"));
    };
    transaction.wrap(work).await;
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    let sample = exporter.samples().remove(0);
    insta::assert_snapshot!(list(&sample), @r"
    -: SELECT FROM authors × 10000 N+1
    -: during × 1
    -: after × 1
    ");
    let app = exporter.breakdown().into_iter().find(|part| part.span_kind == "app").unwrap();
    assert!(app.self_time + sample.spans[0].duration.unwrap() <= sample.duration + sample.spans[1].total * 2);
    assert_eq!((count(&exporter.breakdown(), QUERY), sample.dropped_spans), (10_000, 0));
}

#[test]
fn a_reference_to_a_combined_span_leads_to_its_parent() {
    let (sample, _) = record(|| {
        let outer = span("outer", "app");
        select("books");
        let repeat = span("SELECT FROM books", QUERY).leaf();
        let (of_repeat, code) =
            (repeat.position().unwrap(), opbeat_core::current().wrap_fn(|| drop(span("code", "app"))));
        drop(repeat);
        // The slot of the repeat is used again.
        let other = span("other", "app");
        drop(of_repeat.start("at the position", "app"));
        of_repeat.record(FinishedSpan::new("recorded", "app", Duration::ZERO));
        code();
        assert_ne!(of_repeat.trace_parent(), other.position().unwrap().trace_parent());
        drop(other);
        drop(outer);
    });
    insta::assert_snapshot!(list(&sample), @r"
    -: outer × 1
    0: SELECT FROM books × 2
    0: other × 1
    0: at the position × 1
    0: recorded × 1
    0: code × 1
    ");
    let other = &sample.spans[2];
    assert!(other.id.is_some_and(|id| sample.spans.iter().filter(|span| span.id == Some(id)).count() == 1));
    assert_eq!(sample.spans.iter().filter(|span| span.id.is_some()).count(), 1);
}

#[test]
fn spans_beyond_the_limit_are_counted_by_kind() {
    let (sample, breakdown) = record(|| {
        let outer = span("render", "template");
        for number in 0..1_200 {
            let _part = span(format!("part {number}"), "template").leaf();
        }
        for _ in 0..10 {
            drop(span("call", "ext.http.test"));
        }
        for number in 0..5 {
            let finished = FinishedSpan::new(format!("job {number}"), "queue", Duration::from_nanos(1));
            position().record(finished.leaf());
        }
        drop(outer);
    });
    assert_eq!((sample.spans.len(), sample.dropped_spans), (500, 701 + 10 + 5));
    let dropped: Vec<_> = sample.dropped.iter().map(|part| (&*part.kind, part.count)).collect();
    assert_eq!(dropped, [("template", 701), ("ext.http.test", 10), ("queue", 5)]);
    assert_eq!(sample.dropped[2].total, Duration::from_nanos(5));
    assert_eq!((count(&breakdown, "template"), count(&breakdown, "ext.http.test")), (1_201, 10));
    assert_complete(&breakdown, &sample);
}

#[test]
fn nested_spans_beyond_the_limit_are_counted_too() {
    let (sample, breakdown) = record(|| {
        let nested: Vec<_> = (0..900).map(|number| span(format!("level {number}"), "app.level")).collect();
        nested.into_iter().rev().for_each(drop);
        let forgotten: Vec<_> = (0..300).map(|number| span(format!("job {number}"), "job")).collect();
        std::mem::forget(forgotten);
    });
    assert_eq!((sample.spans.len(), sample.dropped_spans), (500, 700));
    assert!(sample.spans.iter().enumerate().all(|(index, span)| span.parent == index.checked_sub(1)));
    let dropped: u64 = sample.dropped.iter().map(|part| part.count).sum();
    assert_eq!(dropped, 501, "199 never ended, and had no slot");
    assert_eq!(count(&breakdown, "app.level"), 900);
}

#[test]
fn the_kinds_of_dropped_spans_are_limited() {
    let (sample, _) = record(|| {
        for number in 0..600 {
            drop(span("step", format!("kind.{number}")));
        }
    });
    assert_eq!((sample.dropped.len(), sample.dropped_spans), (21, 100));
    assert_eq!((&*sample.dropped[20].kind, sample.dropped[20].count), ("other", 80));
}

#[test]
fn spans_are_in_the_order_of_their_start() {
    let (sample, _) = record(|| {
        let outer = span("outer", "app");
        drop(span("first", "app"));
        position().record(FinishedSpan::new("since the start", QUERY, Duration::from_secs(3_600)).leaf());
        drop(outer);
        let early = FinishedSpan::new("before all others", QUERY, Duration::from_secs(3_600));
        position().record(early.leaf());
        let future = Instant::now() + Duration::from_secs(3_600);
        position().record(FinishedSpan::new("in the future", QUERY, Duration::ZERO).ended_at(future));
    });
    insta::assert_snapshot!(list(&sample), @r"
    -: before all others × 1
    -: outer × 1
    1: since the start × 1
    1: first × 1
    -: in the future × 1
    ");
    assert!(sample.spans.is_sorted_by_key(|span| span.start));
    assert!(sample.spans.iter().all(|span| span.start + span.duration.unwrap() <= sample.duration));
}

#[test]
fn the_threshold_of_repeats_can_be_set() {
    let flagged = |threshold, kind: &'static str, repeats| {
        let (sample, _) = record_with(&Config::default().n_plus_one(threshold), || {
            for _ in 0..repeats {
                drop(span("repeated", kind).leaf());
            }
        });
        sample.spans[0].n_plus_one
    };
    assert_eq!((flagged(5, QUERY, 4), flagged(5, QUERY, 5)), (false, true));
    assert_eq!((flagged(2, "cache.moka", 2), flagged(0, "cache.moka", 50)), (true, false));
    assert!(flagged(5, "ext.http.reqwest", 5) && flagged(5, "messaging.rabbitmq.publish", 5));
    for kind in ["app", "template.tera", "db.pool.wait", "db.sqlite.transaction", "db.mysql.connect"] {
        assert!(!flagged(5, kind, 50), "{kind}");
    }
}

/// Runs random operations on the spans of a transaction, some of them on other threads. Returns the number of spans.
fn run_randomly(seed: u64) -> u32 {
    const TABLES: [&str; 4] = ["books", "authors", "readers", "loans"];
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut running, mut positions, mut count) = (Vec::new(), vec![position()], 0);
    for _ in 0..3_000 {
        let signature = format!("SELECT FROM {}", TABLES[random.usize(..TABLES.len())]);
        let from = positions[random.usize(..positions.len())].clone();
        match random.u32(..10) {
            0..=3 => {
                let started = if random.bool() { span(signature, QUERY) } else { from.start(signature, QUERY) };
                let started = if random.u32(..4) > 0 { started.leaf() } else { started };
                started.set_extra("rows", 1);
                // In a leaf that runs, nothing is recorded.
                if let Some(own) = started.position() {
                    count += 1;
                    positions.push(own);
                    running.push(started);
                }
            }
            4..=7 if !running.is_empty() => {
                let ended = running.swap_remove(random.usize(..running.len()));
                match random.u32(..4) {
                    0 => std::thread::scope(|scope| _ = scope.spawn(|| drop(ended))),
                    1 => ended
                        .end_as(FinishedSpan::new(signature, QUERY, Duration::from_micros(random.u64(..90))).leaf()),
                    _ => drop(ended),
                }
            }
            8 => {
                let probe = from.start("probe", "app");
                count += u32::from(probe.position().is_some());
                drop(probe);
            }
            _ => {
                let finished = FinishedSpan::new(signature, QUERY, Duration::from_micros(random.u64(..90)));
                let finished = if random.bool() { finished.leaf() } else { finished };
                let probe = from.start("probe", "app");
                let is_recorded = probe.position().is_some();
                drop(probe);
                from.record(finished);
                count += 2 * u32::from(is_recorded);
            }
        }
        if positions.len() > 40 {
            positions.swap_remove(random.usize(..positions.len()));
        }
        if running.len() > 1_100 {
            running.clear();
        }
    }
    count
}

#[test]
fn random_spans_are_all_counted_once() {
    for seed in 0..20 {
        let mut started = 0;
        let (sample, breakdown) = record(|| started = run_randomly(seed));
        let kept: u32 = sample.spans.iter().map(|span| span.count).sum();
        assert_eq!(kept + sample.dropped_spans, started, "seed {seed}");
        let dropped: u64 = sample.dropped.iter().map(|part| part.count).sum();
        assert_eq!(dropped, u64::from(sample.dropped_spans), "seed {seed}");
        let of_spans: u64 = breakdown.iter().filter(|part| part.span_kind != "app").map(|part| part.count).sum();
        let of_probes = count(&breakdown, "app") - 1;
        assert_eq!(of_spans + of_probes, u64::from(started), "seed {seed}");
        assert!(sample.spans.len() <= 500, "seed {seed}");
        // A span whose times were reported at its end may start after its children.
        let mut starts: Vec<Duration> = Vec::new();
        for span in &sample.spans {
            let parent = span.parent.map_or(Duration::ZERO, |parent| starts[parent]);
            starts.push(span.start.max(parent));
            assert!(span.count > 0 && !span.signature.is_empty(), "seed {seed}: {span:#?}");
        }
        assert!(starts.is_sorted(), "seed {seed}");
    }
}

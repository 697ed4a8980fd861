//! Spans that instrumentation starts at a position, and describes at their end.

use std::time::{Duration, Instant};

use opbeat_core::instrument::{FinishedSpan, Position};
use opbeat_core::record::{SpanRecord, Value};

use crate::{PATIENCE, monitored};

/// Records a job, and returns its spans.
fn spans_of(job: impl FnOnce()) -> Vec<SpanRecord> {
    let (agent, exporter) = monitored();
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        job();
    }
    transaction.end("test", "ok");
    agent.flush(PATIENCE).unwrap();
    exporter.samples().remove(0).spans
}

fn position() -> Position {
    Position::current().expect("the job is a transaction")
}

#[test]
fn a_span_is_described_at_its_end() {
    let spans = spans_of(|| {
        let query = position().start("query", "db");
        query.set_extra("rows", 1);
        let parent = query.position().unwrap();
        drop(parent.start("connect", "db.connect"));
        std::thread::spawn(move || {
            let end = FinishedSpan::new("SELECT FROM books", "db.sqlite.query", Duration::from_millis(3));
            query.end_as(end.extra("rows", 7).extra("sql", "SELECT"));
        })
        .join()
        .unwrap();
    });
    let [query, connect] = spans.as_slice() else { panic!("{spans:#?}") };
    assert_eq!((query.signature.as_ref(), query.kind.as_ref()), ("SELECT FROM books", "db.sqlite.query"));
    assert_eq!(query.extra, [("rows".into(), Value::Integer(7)), ("sql".into(), Value::from("SELECT"))]);
    assert_eq!((connect.signature.as_ref(), connect.parent), ("connect", Some(0)));
}

#[test]
fn the_times_of_a_span_may_be_in_the_past() {
    const SHORT: Duration = Duration::from_nanos(1);
    const LONG: Duration = Duration::from_secs(3600);
    let spans = spans_of(|| {
        let query = position().start("query", "db");
        // The system's clock differs from that of the spans by some microseconds.
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1) {}
        let ended = Instant::now();
        query.end_as(FinishedSpan::new("query", "db", SHORT).ended_at(ended));
        let early = position().start("before the transaction", "db");
        early.end_as(FinishedSpan::new("before the transaction", "db", LONG));
    });
    assert_eq!(spans[0].start, Duration::ZERO, "a span starts with its transaction at the earliest");
    assert!(spans[0].duration.unwrap() < LONG);
    assert_eq!((&*spans[1].signature, spans[1].duration), ("query", Some(SHORT)));
}

#[test]
fn a_position_outlives_its_transaction() {
    let mut outlived = None;
    spans_of(|| {
        assert!(position().is_running());
        outlived = Some(position());
    });
    let outlived = outlived.unwrap();
    assert!(!outlived.is_running());
    let late = outlived.start("query", "db");
    assert!(late.position().is_none());
    late.end_as(FinishedSpan::new("query", "db", Duration::ZERO));
}

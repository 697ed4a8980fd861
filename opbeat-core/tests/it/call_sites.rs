//! The stacks that spans are shown with.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use opbeat_core::instrument::{FinishedSpan, Position};
use opbeat_core::record::{Frame, SpanRecord};
use opbeat_core::{Agent, span};
use opbeat_testing::{MemoryExporter, ScriptedServer};
use serde_json::Value as Json;

use crate::{PATIENCE, monitored};

const QUERY: &str = "db.sqlite.query";

/// Makes the first span of each signature, so that later ones have no stack for that reason.
fn use_up_first(agent: &Agent, signatures: &[&'static str]) {
    let transaction = agent.begin_transaction("task.test");
    let _entered = transaction.enter();
    signatures.iter().for_each(|signature| drop(span(*signature, QUERY).leaf()));
}

fn spans_of(agent: &Agent, exporter: &MemoryExporter, name: &str, job: impl FnOnce()) -> Vec<SpanRecord> {
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        job();
    }
    transaction.end(name.to_owned(), "ok");
    agent.flush(PATIENCE).unwrap();
    let mut samples = exporter.samples();
    samples.retain(|sample| sample.name.to_string() == name);
    samples.pop().expect("the transaction is a sample").spans
}

fn newest(span: &SpanRecord) -> &Frame {
    span.frames.last().unwrap_or_else(|| panic!("no frames: {span:#?}"))
}

/// Runs a query in the function that issues it.
#[inline(never)]
fn find_author() -> u32 {
    drop(span("SELECT FROM authors", QUERY).leaf());
    line!() - 1
}

#[test]
fn repeated_queries_have_the_line_that_issues_them() {
    let (agent, exporter) = monitored();
    use_up_first(&agent, &["SELECT FROM authors"]);
    let mut line = 0;
    let spans = spans_of(&agent, &exporter, "list", || (0..7).for_each(|_| line = find_author()));
    assert_eq!((spans.len(), spans[0].count, spans[0].n_plus_one), (1, 7, true));
    let frame = newest(&spans[0]);
    assert_eq!((frame.function.as_str(), frame.line), ("it::call_sites::find_author", line));
    assert!(frame.context_line.as_ref().unwrap().contains("SELECT FROM authors"));
    assert!(spans[0].frames.iter().all(|frame| frame.in_app && frame.pre_context.is_empty()));
    // A later transaction of this name is shown with the same stack.
    let spans = spans_of(&agent, &exporter, "list", || {
        (0..4).for_each(|_| _ = find_author());
        drop(span("SELECT FROM authors", QUERY).leaf());
    });
    assert_eq!((spans[0].count, newest(&spans[0]).function.as_str()), (5, "it::call_sites::find_author"));
    // Four are not enough.
    let spans = spans_of(&agent, &exporter, "few", || (0..4).for_each(|_| _ = find_author()));
    assert_eq!((spans[0].n_plus_one, spans[0].frames.len()), (false, 0));
}

#[test]
fn the_first_span_of_a_signature_has_a_stack() {
    let (agent, exporter) = monitored();
    let job = || {
        drop(span("checkout", "app"));
        drop(span("checkout", "app"));
    };
    let spans = spans_of(&agent, &exporter, "shop", job);
    assert_eq!(newest(&spans[0]).function, "it::call_sites::the_first_span_of_a_signature_has_a_stack");
    assert!(spans[1].frames.is_empty());
}

#[test]
fn a_slow_span_has_a_stack() {
    let (agent, exporter) = monitored();
    use_up_first(&agent, &["SELECT FROM books"]);
    let spans = spans_of(&agent, &exporter, "slow", || {
        for _ in 0..2 {
            let slow = span("SELECT FROM books", QUERY);
            let started = Instant::now();
            while started.elapsed() < Duration::from_millis(101) {}
            drop(slow);
        }
    });
    assert_eq!(newest(&spans[0]).function, "it::call_sites::a_slow_span_has_a_stack");
    assert!(spans[1].frames.is_empty(), "one a minute is enough");
}

/// A library that runs queries on a thread of its own.
struct Library {
    queries: mpsc::Sender<(Position, &'static str, mpsc::Sender<()>)>,
}

impl Library {
    fn start() -> Self {
        let (queries, received) = mpsc::channel::<(Position, &'static str, mpsc::Sender<()>)>();
        thread::spawn(move || {
            for (position, signature, done) in received {
                position.record(FinishedSpan::new(signature, QUERY, Duration::from_nanos(1)).leaf());
                done.send(()).unwrap();
            }
        });
        Self { queries }
    }

    fn query(&self, signature: &'static str) {
        let position = Position::current().unwrap();
        position.note_call_site();
        let (done, is_done) = mpsc::channel();
        self.queries.send((position, signature, done)).unwrap();
        is_done.recv().unwrap();
    }
}

#[inline(never)]
fn find_book(library: &Library) {
    library.query("SELECT FROM books");
    std::hint::black_box(library);
}

#[inline(never)]
fn find_reader(library: &Library) {
    library.query("SELECT FROM readers");
    std::hint::black_box(library);
}

#[test]
fn queries_of_another_thread_have_their_call_site() {
    let (agent, exporter) = monitored();
    let library = Library::start();
    let spans = spans_of(&agent, &exporter, "mixed", || {
        for _ in 0..8 {
            find_reader(&library);
            find_book(&library);
        }
    });
    let found: Vec<_> =
        spans.iter().map(|span| (&*span.signature, span.count, newest(span).function.as_str())).collect();
    assert!(spans.iter().all(|span| span.n_plus_one));
    // The call that is nearest to the query is the library's, which is a part of this crate here.
    assert!(spans.iter().all(|span| span.frames.len() >= 2));
    let caller = |span: &SpanRecord| span.frames[span.frames.len() - 2].function.clone();
    assert_eq!(
        found.iter().map(|(signature, count, _)| (*signature, *count)).collect::<Vec<_>>(),
        [("SELECT FROM readers", 8), ("SELECT FROM books", 8)]
    );
    assert_eq!(
        (caller(&spans[0]), caller(&spans[1])),
        ("it::call_sites::find_reader".to_owned(), "it::call_sites::find_book".to_owned())
    );
    // The next transaction does not capture its call sites: it has the known ones, even if none are noted.
    let spans = spans_of(&agent, &exporter, "mixed", || {
        let position = Position::current().unwrap();
        thread::spawn(move || {
            for _ in 0..5 {
                position.record(FinishedSpan::new("SELECT FROM books", QUERY, Duration::from_nanos(1)).leaf());
            }
        })
        .join()
        .unwrap();
    });
    assert_eq!((spans[0].n_plus_one, caller(&spans[0]).as_str()), (true, "it::call_sites::find_book"));
}

#[test]
fn without_a_call_site_a_query_of_another_thread_has_no_stack() {
    let (agent, exporter) = monitored();
    let spans = spans_of(&agent, &exporter, "other", || {
        let position = Position::current().unwrap();
        thread::spawn(move || {
            for _ in 0..9 {
                position.record(FinishedSpan::new("SELECT FROM books", QUERY, Duration::from_nanos(1)).leaf());
            }
        })
        .join()
        .unwrap();
    });
    assert_eq!((spans[0].n_plus_one, spans[0].frames.len()), (true, 0));
}

#[test]
fn the_server_receives_counts_flags_ids_and_frames() {
    let server = ScriptedServer::start([]);
    let agent = Agent::start(&server.config().panic_hook(false)).unwrap();
    let transaction = agent.begin_transaction("task.test");
    {
        let _entered = transaction.enter();
        (0..7).for_each(|_| _ = find_author());
        let call = span("GET prices.example", "ext.http.test");
        let parent = opbeat_core::current().trace_parent().unwrap();
        assert_eq!(Some(format!("{:032x}", parent.trace_id)), transaction.id().map(|id| id.to_string()));
        drop(call);
        (0..600).for_each(|number| drop(span(format!("step {number}"), "app.step")));
    }
    transaction.end("list", "ok");
    agent.flush(PATIENCE).unwrap();
    let bodies = server.requests();
    let sample = bodies.iter().map(|seen| &seen.body).find(|body| body.pointer("/traces/raw/0").is_some()).unwrap();
    let raw = sample.pointer("/traces/raw/0").and_then(Json::as_array).unwrap();
    let (query, call, context) = (&raw[2], &raw[3], raw.last().unwrap());
    assert_eq!((&query[3]["count"], &query[3]["n_plus_one"]), (&7.into(), &true.into()));
    assert!(query[3]["total_ms"].as_f64().unwrap() <= query[2].as_f64().unwrap());
    assert_eq!(call[3]["id"].as_str().unwrap().len(), 16);
    assert_eq!(context["trace_id"], context["id"]);
    assert_eq!((&context["dropped_spans"], &context["dropped"]["app.step"]["count"]), (&102.into(), &102.into()));
    let group = usize::try_from(query[0].as_u64().unwrap()).unwrap();
    let frames = sample["traces"]["groups"][group]["extra"]["_frames"].as_array().unwrap();
    let newest = frames.last().unwrap();
    assert_eq!((&newest["function"], &newest["in_app"]), (&"it::call_sites::find_author".into(), &true.into()));
}

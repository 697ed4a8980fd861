//! Spans and events that are malformed, or end at the wrong time or on the wrong thread.

use std::mem;
use std::thread;

use insta::assert_snapshot;
use opbeat_core::{Agent, Config};
use opbeat_instrument::tracing::{Row, SpanBridge, ignored_spans};
use opbeat_testing::MemoryExporter;
use tracing::field::Empty;
use tracing::subscriber::{DefaultGuard, set_default};
use tracing::{Level, event, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

use crate::tree;

/// An agent, and a subscriber whose bridge shows the spans of the target `odd`.
struct Odd {
    agent: Agent,
    exporter: MemoryExporter,
    _default: DefaultGuard,
}

impl Odd {
    fn new() -> Self {
        let bridge = SpanBridge::new().with_row(Row::span("odd", "*").kind("app.odd").extra("size", "size")).with_row(
            Row::event("odd").kind("app.event").signature("event").duration_field("secs").extra("size", "size"),
        );
        let exporter = MemoryExporter::default();
        let agent = Agent::with_exporter(&Config::default(), exporter.clone());
        Self { agent, exporter, _default: set_default(registry().with(bridge.layer())) }
    }

    fn run(&self, work: impl FnOnce()) -> String {
        self.run_as("odd", work)
    }

    fn run_as(&self, name: &'static str, work: impl FnOnce()) -> String {
        let transaction = self.agent.begin_transaction("task.odd");
        let entered = transaction.enter();
        work();
        drop(entered);
        transaction.end(name, "ok");
        tree::flush(&self.agent);
        tree::of(&self.exporter, name)
    }
}

#[test]
fn guards_can_be_dropped_in_any_order() {
    let tree = Odd::new().run(|| {
        let outer = info_span!(target: "odd", "outer").entered();
        let inner = info_span!(target: "odd", "inner").entered();
        drop(outer);
        info_span!(target: "odd", "in inner").in_scope(|| ());
        drop(inner);
        info_span!(target: "odd", "last").in_scope(|| ());
    });
    assert_snapshot!(tree, @r"
    app.odd outer
      app.odd inner
        app.odd in inner
    app.odd last
    ");
}

#[test]
fn spans_continue_on_other_threads() {
    let odd = Odd::new();
    let tree = odd.run(|| {
        let span = info_span!(target: "odd", "sent");
        let (current, dispatch) = (tracing::Span::current(), tracing::dispatcher::get_default(Clone::clone));
        let work = move || {
            tracing::dispatcher::with_default(&dispatch, || {
                span.in_scope(|| info_span!(target: "odd", "in sent").in_scope(|| ()));
                // The span of the task carries the transaction, even though it is not in the table.
                current.in_scope(|| {
                    drop(opbeat_core::span("by hand", "app.hand"));
                    info_span!(target: "odd", "carried").in_scope(|| ());
                });
                info_span!(target: "odd", "outside").in_scope(|| ());
            });
        };
        thread::spawn(work).join().expect("it does not panic");
    });
    assert_snapshot!(tree, @r"
    app.odd sent
      app.odd in sent
    app.hand by hand
    app.odd carried
    ");
}

#[test]
fn spans_may_outlive_their_transaction() {
    let odd = Odd::new();
    let mut kept = None;
    let tree = odd.run(|| kept = Some(info_span!(target: "odd", "kept").entered()));
    assert_snapshot!(tree, @"app.odd kept (unfinished)");
    let before = odd.agent.diagnose().spans_without_transaction;
    info_span!(target: "odd", "late").in_scope(|| ());
    event!(target: "odd", Level::INFO, secs = 0.5);
    drop(kept);
    assert!(odd.agent.diagnose().spans_without_transaction >= before + 2);
    // Nothing is left of it on this thread.
    info_span!(target: "odd", "outside").in_scope(|| ());
    assert!(opbeat_core::current().id().is_none());
    assert_snapshot!(odd.run_as("next", || info_span!(target: "odd", "next").in_scope(|| ())), @"app.odd next");
}

#[test]
fn forgotten_guards_are_bounded() {
    // The guards stay on their thread, which ends.
    let work = || {
        let before = ignored_spans();
        Odd::new().run(|| (0..100).for_each(|_| mem::forget(info_span!(target: "odd", "forgotten").entered())));
        ignored_spans() - before
    };
    let ignored = thread::spawn(work).join().expect("it does not panic");
    assert_eq!(ignored, 36);
}

#[test]
fn malformed_values_are_ignored() {
    let tree = Odd::new().run(|| {
        event!(target: "odd", Level::INFO, secs = -1.0);
        event!(target: "odd", Level::INFO, secs = f64::NAN);
        event!(target: "odd", Level::INFO, secs = f64::INFINITY);
        event!(target: "odd", Level::INFO, secs = "long");
        event!(target: "odd", Level::INFO, size = 5);
        event!(target: "odd", Level::INFO, secs = 0, size = u64::MAX, unknown = "secret");
        event!(target: "odd", Level::INFO, secs = 0.0, size = ?[1, 2]);
        event!(target: "odd", Level::INFO, secs = 1e300);
        let span = info_span!(target: "odd", "recorded", size = Empty);
        span.record("size", "é".repeat(400).as_str());
        span.record("nothing", 5);
        event!(target: "sqlx::query", Level::DEBUG, db.statement = 5, summary = true, elapsed_secs = 0.0);
        event!(target: "sqlx::query", Level::DEBUG, db.statement = "'it's broken", elapsed_secs = 0.0);
        event!(target: "sqlx::query", Level::DEBUG, elapsed_secs = 0.0);
    });
    let shortened = tree.replace(&"é".repeat(250), "é…");
    assert_snapshot!(shortened, @r"
    app.event event · size=18446744073709552000
    app.event event · size=[1, 2]
    app.odd recorded · size=é…
    db.sql.query query ×3
    ");
}

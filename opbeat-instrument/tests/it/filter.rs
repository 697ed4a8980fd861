//! The filter of the bridge, beside the filters of other layers.

use std::env;
use std::io::{self, Write};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use insta::assert_snapshot;
use opbeat_core::events::tracing::ErrorEvents;
use opbeat_core::{Agent, Config};
use opbeat_instrument::tracing::{Row, SpanBridge, layer};
use opbeat_testing::MemoryExporter;
use tracing::callsite::{DefaultCallsite, Identifier};
use tracing::field::FieldSet;
use tracing::metadata::Kind;
use tracing::subscriber::{Interest, with_default};
use tracing::{Dispatch, Level, Metadata, Subscriber, debug, error, event, info};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::{EnvFilter, fmt, registry};

use crate::tree;

static METADATA: Metadata<'static> = metadata(("", Level::TRACE, Kind::EVENT));
static CALLSITE: DefaultCallsite = DefaultCallsite::new(&METADATA);

const fn metadata((target, level, kind): (&'static str, Level, Kind)) -> Metadata<'static> {
    let fields = FieldSet::new(&[], Identifier(&CALLSITE));
    Metadata::new("a callsite", target, level, None, None, None, fields, kind)
}

/// Asks a subscriber for its interest in the events of a target.
fn interest(subscriber: &Dispatch, target: &'static str, level: Level) -> &'static str {
    let metadata: &'static Metadata<'static> = Box::leak(Box::new(metadata((target, level, Kind::EVENT))));
    let interest: Interest = subscriber.register_callsite(metadata);
    match interest {
        never if never.is_never() => "never",
        always if always.is_always() => "always",
        _ => "sometimes",
    }
}

#[test]
fn callsites_outside_of_the_table_stay_disabled() {
    let bridge = Dispatch::new(registry().with(layer()));
    for level in [Level::WARN, Level::INFO, Level::DEBUG, Level::TRACE] {
        assert_eq!(interest(&bridge, "shop::cart", level), "never", "{level}");
        assert_eq!(interest(&bridge, "sqlx::postgres::notice", level), "never", "{level}");
    }
    assert_eq!(interest(&bridge, "sqlx::query", Level::DEBUG), "always");
    assert_eq!(interest(&bridge, "sqlx::query", Level::TRACE), "always");
    // Events of this level are errors.
    assert_eq!(interest(&bridge, "shop::cart", Level::ERROR), "always");
}

#[test]
fn the_filter_of_the_log_stays_as_it_is() {
    let log = fmt::layer().with_writer(io::sink).with_filter(EnvFilter::new("info"));
    let both = Dispatch::new(registry().with(log).with(layer()));
    assert_eq!(interest(&both, "shop::cart", Level::DEBUG), "never");
    assert_eq!(interest(&both, "shop::cart", Level::INFO), "sometimes");
    assert_eq!(interest(&both, "sqlx::query", Level::DEBUG), "sometimes");
}

/// The text of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// Runs code in a transaction, and returns what was recorded.
fn record(subscriber: impl Subscriber + Send + Sync, work: impl FnOnce()) -> MemoryExporter {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    with_default(subscriber, || {
        let transaction = agent.begin_transaction("task.filter");
        let entered = transaction.enter();
        work();
        drop(entered);
        transaction.end("shop.filter", "ok");
    });
    tree::flush(&agent);
    exporter
}

/// An event as sqlx makes it, with the question before it.
fn query() {
    if tracing::enabled!(target: "sqlx::query", Level::DEBUG) {
        event!(
            target: "sqlx::query", Level::DEBUG, summary = "SELECT title FROM books …",
            db.statement = "\n\nSELECT title FROM books WHERE id = $1\n", rows_affected = 0_u64, rows_returned = 3_u64,
            elapsed_secs = 0.002_f64,
        );
    }
}

#[test]
fn the_bridge_sees_events_that_the_log_does_not_show() {
    let log = Log::default();
    let lines = fmt::layer().without_time().with_writer(log.clone()).with_filter(EnvFilter::new("info"));
    let exporter = record(registry().with(lines).with(layer()), || {
        for _ in 0..2 {
            info!(target: "shop", "before");
            query();
            debug!(target: "shop", "hidden");
        }
        info!(target: "shop", "after");
    });
    let text = log.text();
    let lines: Vec<_> = text.lines().map(|line| line.split_whitespace().last().unwrap_or_default()).collect();
    assert_eq!(lines, ["before", "before", "after"], "{text}");
    assert_snapshot!(tree::of(&exporter, "shop.filter"), @"db.postgresql.query SELECT FROM books ×2 · sql=SELECT title FROM books WHERE id = ?, rows=3");
}

#[test]
fn a_global_filter_needs_two_directives() {
    let subscriber = |directives| registry().with(EnvFilter::new(directives)).with(layer());
    let shown = |directives| tree::of(&record(subscriber(directives), query), "shop.filter");
    assert_snapshot!(shown("info"), @"");
    assert_snapshot!(shown("info,sqlx::query=debug,opbeat=trace"), @"db.postgresql.query SELECT FROM books · sql=SELECT title FROM books WHERE id = ?, rows=3");
}

#[test]
fn rows_of_the_application_come_first() {
    let row = Row::event("sqlx::query").kind("db.mine.query").signature("mine").duration_field("elapsed_secs");
    let search = Row::span("shop_search*", "search").kind("db.search.query").signature_field("index");
    let bridge = SpanBridge::new().with_row(row).with_row(search.extra("hits", "hits").leaf()).layer();
    let exporter = record(registry().with(bridge), || {
        query();
        let span = tracing::debug_span!(
            target: "shop_search::client", "search", index = "books", hits = tracing::field::Empty, key = "secret"
        );
        span.in_scope(query);
        span.record("hits", 7);
        tracing::debug_span!(target: "shop_other", "search", index = "other").in_scope(|| ());
    });
    assert_snapshot!(tree::of(&exporter, "shop.filter"), @r"
    db.mine.query mine
    db.search.query books · hits=7
    ");
}

#[test]
fn errors_are_reported_once() {
    let lost = || error!(target: "shop", "the cart is lost");
    let messages = |exporter: &MemoryExporter| -> Vec<String> {
        exporter.errors().into_iter().map(|error| error.message.to_string()).collect()
    };
    assert_eq!(messages(&record(registry().with(layer()), lost)), ["the cart is lost"]);
    let both = registry().with(ErrorEvents::new()).with(layer());
    assert_eq!(messages(&record(both, lost)), ["the cart is lost"]);
}

/// The name of the environment variable that selects the subscriber of a process.
const SUBSCRIBER: &str = "OPBEAT_TEST_SUBSCRIBER";

/// Runs a test's code in a process of its own, since a warning is shown once per process. Returns the warnings.
fn warnings_with(subscriber: &str) -> Vec<String> {
    let program = env::current_exe().expect("this program");
    let mut child = Command::new(program);
    child.args(["--exact", "filter::a_global_filter_is_reported", "--nocapture"]).env(SUBSCRIBER, subscriber);
    let output = child.output().expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    errors.lines().filter(|line| line.contains("global filter")).map(str::to_owned).collect()
}

#[test]
fn a_global_filter_is_reported() {
    let info = || EnvFilter::new("info");
    match env::var(SUBSCRIBER).as_deref() {
        Ok("global") => {
            record(registry().with(info()).with(layer()), query);
            record(registry().with(info()).with(layer()), query);
        }
        Ok("directives") => {
            let filter = EnvFilter::new("info,opbeat=trace,sqlx::query=debug");
            record(registry().with(filter).with(layer()), query);
        }
        Ok(_) => {
            let log = fmt::layer().with_writer(io::sink).with_filter(info());
            record(registry().with(log).with(layer()), query);
        }
        Err(_) => {
            assert_eq!(warnings_with("log"), Vec::<String>::new());
            assert_eq!(warnings_with("directives"), Vec::<String>::new());
            let warnings = warnings_with("global");
            assert_eq!(warnings.len(), 1, "{warnings:?}");
            let directives = "add `opbeat=trace,sqlx::query=debug,mysql_async=debug,aws_sdk=debug,scylla=trace` to it";
            assert!(warnings[0].contains(directives), "{warnings:?}");
        }
    }
}

//! Spans of libraries that use the API of OpenTelemetry.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use opbeat_core::http::HttpTransaction;
use opbeat_core::record::{Outcome, TransactionRecord, Value};
use opbeat_core::{Agent, Config};
use opbeat_instrument::opentelemetry::{TracerProvider, context};
use opbeat_testing::MemoryExporter;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    FutureExt, Span, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, Tracer, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

use crate::tree;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn agent() -> (Agent, MemoryExporter) {
    global::set_tracer_provider(TracerProvider::new());
    let exporter = MemoryExporter::default();
    (Agent::with_exporter(&Config::default(), exporter.clone()), exporter)
}

/// Runs a job in a transaction, and returns its sample.
fn sample_of(job: impl FnOnce()) -> TransactionRecord {
    let (agent, exporter) = agent();
    let transaction = agent.begin_transaction("task.test");
    transaction.run(job);
    transaction.end("job", "ok");
    tree::flush(&agent);
    exporter.samples().remove(0)
}

fn tree_of(job: impl FnOnce()) -> String {
    tree::of_sample(&sample_of(job))
}

/// Starts and ends a span of a client with these attributes.
fn call(name: &'static str, attributes: impl IntoIterator<Item = KeyValue>) {
    let tracer = global::tracer("shop.client");
    tracer.span_builder(name).with_kind(SpanKind::Client).with_attributes(attributes).start(&tracer).end();
}

fn text(key: &'static str, value: &'static str) -> KeyValue {
    KeyValue::new(key, value)
}

#[test]
fn spans_nest_by_their_contexts() {
    let tree = tree_of(|| {
        let _render = opbeat_core::span("render", "template");
        global::tracer("shop::stock/count").in_span("count", |_| {
            let _shelf = opbeat_core::span("shelf", "app");
            global::tracer("").in_span("inner", |context| {
                drop(opbeat_core::span("innermost", "app"));
                context.span().update_name("renamed");
            });
        });
        drop(opbeat_core::span("after", "app"));
    });
    insta::assert_snapshot!(tree, @r"
    template render
      otel.shop.stock.count count
        app shelf
          otel renamed
            app innermost
      app after
    ");
}

#[test]
fn databases_have_signatures() {
    let tree = tree_of(|| {
        let sql = "SELECT title FROM books WHERE author = 'Ada' AND id = $1";
        call("query", [text("db.system.name", "postgresql"), text("db.query.text", sql)]);
        call("query", [text("db.system", "postgresql"), text("db.statement", sql)]);
        let rows = KeyValue::new("db.response.returned_rows", 3);
        call("query", [text("db.system.name", "microsoft.sql_server"), text("db.query.text", "SELECT 1 FROM t"), rows]);
        call("query", [text("db.system", "mssql"), text("db.statement", "COMMIT")]);
        let host = [text("server.address", "db.example"), KeyValue::new("server.port", 27017)];
        let find = [text("db.operation.name", "find"), text("db.collection.name", "books")];
        call("find", [text("db.system.name", "mongodb")].into_iter().chain(find).chain(host));
        call("GET", [text("db.system", "redis"), text("db.statement", "GET session:secret")]);
        call("query", [text("db.system.name", "sqlite"), text("db.query.summary", "SELECT books")]);
        call("query", [text("db.system.name", "Odd System"), text("db.query.text", "FETCH session:secret")]);
        let summary = text("db.query.summary", "FETCH session");
        call("query", [text("db.system.name", "odd"), text("db.query.text", "FETCH session:secret"), summary]);
        call("query", [text("db.system.name", "ibm.db2"), KeyValue::new("db.query.text", 7)]);
    });
    insta::assert_snapshot!(tree, @r"
    db.postgresql.query SELECT FROM books ×2 · sql=SELECT title FROM books WHERE author = ? AND id = ?
    db.mssql.query SELECT FROM t · sql=SELECT ? FROM t, rows=3
    db.mssql.transaction COMMIT · sql=COMMIT
    db.mongodb.query find books · peer=db.example:27017
    db.redis.query GET
    db.sqlite.query SELECT books
    db.odd_system.query query
    db.odd.query FETCH session
    db.db2.query query · sql=?
    ");
}

#[test]
fn calls_have_signatures() {
    let tree = tree_of(|| {
        let url = "https://ada:secret@prices.example:8443/books/7?token=secret#x";
        let get = [text("http.request.method", "GET"), text("url.full", url)];
        call("GET", get.into_iter().chain([KeyValue::new("http.response.status_code", 200)]));
        let old = [
            text("http.method", "POST"),
            text("http.url", "http://prices.example/?a"),
            text("net.peer.name", "p.example"),
        ];
        call("POST", old.into_iter().chain([KeyValue::new("http.status_code", 503), text("error.type", "503")]));
        call(
            "odd",
            [
                text("http.request.method", "_OTHER"),
                text("url.full", "nowhere"),
                KeyValue::new("http.request.resend_count", 2),
            ],
        );
        call("x", [text("rpc.system", "grpc"), text("rpc.service", "shop.Stock"), text("rpc.method", "Count")]);
        call("x", [text("rpc.system.name", "grpc"), text("rpc.method", "shop.Stock/Count")]);
        call("x", [text("rpc.system", "aws-api"), text("rpc.service", "STS"), text("rpc.method", "AssumeRole")]);
        let publish = [text("messaging.system", "rabbitmq"), text("messaging.destination.name", "orders")];
        call("send", publish.clone().into_iter().chain([text("messaging.operation.type", "send")]));
        call("receive", publish.into_iter().chain([text("messaging.operation", "receive")]));
    });
    insta::assert_snapshot!(tree, @r"
    ext.http.otel GET prices.example · method=GET, url=https://prices.example:8443/books/7, status=200
    ext.http.otel POST p.example · method=POST, url=http://prices.example/, status=503, peer=p.example, error=503
    ext.http.otel odd · method=HTTP, url=nowhere, attempt=3
    ext.grpc.otel shop.Stock/Count ×2
    ext.aws STS.AssumeRole
    messaging.rabbitmq.publish publish orders
    messaging.rabbitmq.consume consume orders
    ");
}

#[test]
fn a_leaf_hides_the_spans_in_it() {
    let tree = tree_of(|| {
        let tracer = global::tracer("shop");
        let query = tracer.span_builder("query").with_attributes([text("db.system.name", "sqlite")]).start(&tracer);
        let query = Context::current_with_span(query);
        let inner = tracer.start_with_context("connect", &query);
        assert!(!inner.is_recording());
        assert_eq!(inner.span_context(), query.span().span_context(), "the hidden span passes on its parent");
        let _attached = query.attach();
        drop(opbeat_core::span("hidden", "app"));
    });
    insta::assert_snapshot!(tree, @"db.sqlite.query query");
}

#[test]
fn only_chosen_attributes_are_kept() {
    let provider = TracerProvider::new().keep_attribute("app.shelf");
    let tree = tree_of(|| {
        let mut span = provider.tracer("shop").start("count");
        span.set_attributes([KeyValue::new("app.shelf", 4), text("app.password", "secret")]);
        span.set_attribute(KeyValue::new("app.shelf", 5));
        span.set_attribute(text("db.query.parameter.0", "secret"));
        span.add_event("note", vec![text("app.password", "secret")]);
        span.add_link(SpanContext::NONE, Vec::new());
    });
    insta::assert_snapshot!(tree, @"otel.shop count · app.shelf=5");
}

#[test]
fn errors_are_shown_with_the_span() {
    let tree = tree_of(|| {
        let tracer = global::tracer("shop");
        let mut typed = tracer.start("typed");
        typed.add_event("exception", vec![text("exception.type", "CartError"), text("exception.message", "no cart")]);
        let mut said = tracer.start("said");
        said.record_error(&std::fmt::Error);
        let mut described = tracer.start("described");
        described.set_status(Status::error("no route"));
        described.set_status(Status::Unset);
        let mut connected = tracer.start("connected");
        connected.set_status(Status::error("no route to amqp://guest:secret@h/a?token=secret"));
        let mut fetched = tracer.start("fetched");
        fetched.add_event("exception", vec![text("exception.message", "GET https://ada:secret@h/a?token=secret: 503")]);
        let mut bare = tracer.start("bare");
        bare.set_status(Status::error(""));
        let mut fine = tracer.start("fine");
        fine.set_status(Status::Ok);
        fine.set_status(Status::error("ignored after `Ok`"));
        // Spans that start in one context are siblings.
        drop((typed, said, described, connected, fetched, bare, fine));
    });
    insta::assert_snapshot!(tree, @r"
    otel.shop typed · error=CartError
    otel.shop said · error=an error occurred when formatting an argument
    otel.shop described · error=no route
    otel.shop connected · error=no route to amqp://h/a
    otel.shop fetched · error=GET https://h/a 503
    otel.shop bare · error=error
    otel.shop fine
    ");
}

#[test]
fn times_of_the_past_are_kept() {
    const LONG: Duration = Duration::from_secs(3_600);
    const SHORT: Duration = Duration::from_millis(1);
    let before = Instant::now();
    let sample = sample_of(|| {
        let tracer = global::tracer("shop");
        let now = SystemTime::now();
        tracer.span_builder("short").with_start_time(now).start(&tracer).end_with_timestamp(now + SHORT);
        tracer.span_builder("early").with_start_time(now - LONG).start(&tracer).end_with_timestamp(now);
        tracer.span_builder("backwards").with_start_time(now).start(&tracer).end_with_timestamp(now - SHORT);
        let mut twice = tracer.start("twice");
        twice.end_with_timestamp(now + LONG);
        twice.end();
        twice.set_attribute(text("error.type", "ignored after the end"));
        assert!(!twice.is_recording());
    });
    let total = before.elapsed();
    assert_eq!(sample.spans.len(), 4);
    for span in sample.spans {
        assert!(span.duration.unwrap() <= total && span.start <= total, "{span:?}");
        assert_eq!(span.extra, []);
    }
}

#[test]
fn spans_of_other_threads_find_their_parents() {
    let tree = tree_of(|| {
        let tracer = global::tracer("shop");
        let parent = Context::current_with_span(tracer.start("parent"));
        let here = context();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let child = global::tracer("shop").start_with_context("child", &parent);
                assert_eq!(child.span_context().trace_id(), parent.span().span_context().trace_id());
                let _attached = parent.clone().attach();
                drop(opbeat_core::span("under the parent", "app"));
            });
        });
        let ended_elsewhere = tracer.start_with_context("carried", &here);
        std::thread::spawn(move || {
            let carried = tracer.start_with_context("carried", &here);
            drop((carried, ended_elsewhere));
        })
        .join()
        .unwrap();
    });
    insta::assert_snapshot!(tree, @r"
    otel.shop parent
      otel.shop child
      app under the parent
    otel.shop carried
    otel.shop carried
    ");
}

#[tokio::test]
async fn spans_nest_in_futures() {
    let (agent, exporter) = agent();
    let transaction = agent.begin_transaction("task.test");
    let step = |name: &'static str| {
        let context = Context::current_with_span(global::tracer("shop").start(name));
        async {
            tokio::task::yield_now().await;
            drop(opbeat_core::span("below", "app"));
            tokio::task::yield_now().await;
        }
        .with_context(context)
    };
    transaction
        .wrap(async {
            opbeat_core::in_span("outer", "app", async { tokio::join!(step("one"), step("two")) }).await;
            drop(opbeat_core::span("after", "app"));
        })
        .await;
    transaction.end("job", "ok");
    tree::flush(&agent);
    insta::assert_snapshot!(tree::of(&exporter, "job"), @r"
    app outer
      otel.shop one
        app below
      otel.shop two
        app below
    app after
    ");
}

#[test]
fn contexts_may_be_detached_in_any_order() {
    let tree = tree_of(|| {
        let tracer = global::tracer("shop");
        let attach = |name| Context::current_with_span(tracer.start(name)).attach();
        let (one, two) = (attach("one"), attach("two"));
        let three = attach("three");
        drop(two);
        drop(opbeat_core::span("in three", "app"));
        drop(three);
        drop(opbeat_core::span("in one", "app"));
        drop(one);
        drop(opbeat_core::span("outside", "app"));
    });
    insta::assert_snapshot!(tree, @r"
    otel.shop one
      otel.shop two
        otel.shop three
          app in three
      app in one
    app outside
    ");
}

#[test]
fn late_spans_are_counted() {
    let mut late = None;
    let mut unended = None;
    let sample = sample_of(|| {
        late = Some(Context::current_with_span(global::tracer("shop").start("ends late")));
        unended = Some(global::tracer("shop").start("never ends"));
    });
    assert!(sample.spans.iter().all(|span| span.duration.is_none()), "{:?}", sample.spans);
    let (agent, _exporter) = agent();
    let count = || agent.diagnose().spans_without_transaction;
    let before = count();
    let (late, mut unended) = (late.unwrap(), unended.unwrap());
    let span = global::tracer("shop").start_with_context("after the transaction", &late);
    assert!(!span.is_recording());
    let _attached = late.attach();
    assert!(!global::tracer("shop").start("after the transaction").is_recording());
    assert!(count() >= before + 2);
    unended.set_attribute(text("error.type", "late"));
    unended.end();
    // A forgotten span keeps a little memory, and disturbs no other span.
    std::mem::forget(unended);
}

#[test]
fn suppressed_spans_are_not_recorded() {
    let tree = tree_of(|| {
        let _suppressed = Context::enter_telemetry_suppressed_scope();
        assert!(!global::tracer("shop").start("export").is_recording());
    });
    assert_eq!(tree, "");
}

#[test]
fn propagators_send_our_trace() {
    let tree = tree_of(|| {
        let mut headers = HashMap::new();
        let tracer = global::tracer("shop");
        let span = Context::current_with_span(tracer.start("call"));
        TraceContextPropagator::new().inject_context(&span, &mut headers);
        let _attached = span.attach();
        let ours = opbeat_core::current().trace_parent().unwrap();
        assert_eq!(headers["traceparent"], ours.to_string());
        let inner = opbeat_core::span("inner", "app");
        TraceContextPropagator::new().inject_context(&context(), &mut headers);
        assert_ne!(headers["traceparent"], ours.to_string());
        assert_eq!(headers["traceparent"], opbeat_core::current().trace_parent().unwrap().to_string());
        drop(inner);
    });
    insta::assert_snapshot!(tree, @r"
    otel.shop call
      app inner
    ");
}

#[test]
fn remote_headers_are_passed_on() {
    let (agent, _exporter) = agent();
    let request = HttpTransaction::begin(&agent, "web.test", "GET", |request| {
        request.set_line("GET", "/");
        request.push_header("traceparent", TRACE.as_bytes());
        request.push_header("tracestate", b"rojo=1");
        request.push_header("baggage", b"tenant=ada%20l;ttl=3,plan=gold");
    });
    request.current().run(|| {
        let own = Context::current_with_baggage([KeyValue::new("plan", "free")]);
        let _attached = own.attach();
        let ours = context();
        assert_eq!(ours.baggage().get("tenant").unwrap().as_str(), "ada l");
        assert_eq!(ours.baggage().get("plan").unwrap().as_str(), "free", "the context's own baggage has precedence");
        let mut headers = HashMap::new();
        TraceContextPropagator::new().inject_context(&ours, &mut headers);
        BaggagePropagator::new().inject_context(&ours, &mut headers);
        assert!(headers["traceparent"].starts_with(&TRACE[..35]), "{headers:?}");
        assert_ne!(headers["traceparent"], TRACE);
        assert_eq!(headers["tracestate"], "rojo=1");
        assert!(headers["baggage"].contains("tenant=ada%20l;ttl=3"), "{headers:?}");
        let span = global::tracer("shop").start("call");
        assert_eq!(span.span_context().trace_state().get("rojo"), Some("1"));
    });
    request.end(Outcome::Ok);
}

/// Runs a server's span with the remote headers of a request, and returns its transaction.
fn served(builder: SpanBuilder, serve: impl FnOnce(&Context)) -> (TransactionRecord, MemoryExporter) {
    let (agent, exporter) = agent();
    let headers = HashMap::from([
        ("traceparent".to_owned(), TRACE.to_owned()),
        ("tracestate".to_owned(), "rojo=1".to_owned()),
        ("baggage".to_owned(), "tenant=ada".to_owned()),
    ]);
    let remote = TraceContextPropagator::new().extract(&headers);
    let remote = BaggagePropagator::new().extract_with_context(&remote, &headers);
    let tracer = TracerProvider::new().begin_transactions(&agent).tracer("server");
    let context = remote.with_span(builder.start_with_context(&tracer, &remote));
    {
        let _attached = context.clone().attach();
        serve(&context);
    }
    context.span().end();
    tree::flush(&agent);
    assert_eq!(agent.open_transactions(), 0);
    (exporter.samples().remove(0), exporter)
}

#[test]
fn the_span_of_a_server_begins_a_transaction() {
    let request = SpanBuilder::from_name("GET").with_kind(SpanKind::Server);
    let request = request.with_attributes([text("http.request.method", "GET"), text("url.path", "/books/7")]);
    let (sample, exporter) = served(request, |context| {
        drop(opbeat_core::span("SELECT FROM books", "db.sqlite.query"));
        global::tracer("shop").start("inner").end();
        assert_eq!(opbeat_core::current().baggage().as_deref(), Some("tenant=ada"));
        assert_eq!(opbeat_core::current().trace_state().as_deref(), Some("rojo=1"));
        let span = context.span();
        span.set_attributes([text("http.route", "/books/{id}"), KeyValue::new("http.response.status_code", 500)]);
        span.add_event("exception", vec![text("exception.message", "the shelf is broken")]);
    });
    assert_eq!((sample.name.to_string().as_str(), sample.kind.as_ref()), ("GET /books/{id}", "web.otel"));
    assert_eq!((sample.outcome, sample.result.to_string().as_str()), (Outcome::ServerError, "500"));
    assert_eq!(sample.trace.unwrap().to_string(), TRACE);
    insta::assert_snapshot!(tree::sorted(&tree::of_sample(&sample)), @r"
    db.sqlite.query SELECT FROM books
    otel.shop inner
    ");
    let errors = exporter.errors();
    assert_eq!((errors.len(), errors[0].message.as_str()), (1, "the shelf is broken"));
    assert_eq!(errors[0].transaction.as_ref().unwrap().id, sample.id);
}

#[test]
fn the_span_of_a_consumer_begins_a_transaction() {
    let job = SpanBuilder::from_name("process orders").with_kind(SpanKind::Consumer);
    let (sample, _) = served(job, |context| context.span().set_status(Status::error("no stock")));
    assert_eq!((sample.name.to_string().as_str(), sample.kind.as_ref()), ("process orders", "task.otel"));
    assert_eq!((sample.outcome, sample.result.to_string().as_str()), (Outcome::ServerError, "error"));
}

#[test]
fn other_spans_begin_no_transaction() {
    let (agent, exporter) = agent();
    let tracer = TracerProvider::new().begin_transactions(&agent).tracer("shop");
    let headers = HashMap::from([("traceparent".to_owned(), TRACE.to_owned())]);
    let remote = TraceContextPropagator::new().extract(&headers);
    let span = tracer.start_with_context("background", &remote);
    assert_eq!(span.span_context(), remote.span().span_context(), "the trace is passed on");
    assert!(!span.is_recording());
    assert!(!tracer.start("background").span_context().is_valid());
    let server = SpanBuilder::from_name("GET").with_kind(SpanKind::Server);
    assert!(!global::tracer("server").build(server).is_recording(), "the global provider begins none");
    drop(span);
    tree::flush(&agent);
    assert!(exporter.samples().is_empty());
}

#[test]
fn a_server_that_panics_ends_its_transaction() {
    let (agent, exporter) = agent();
    let tracer = TracerProvider::new().begin_transactions(&agent).tracer("server");
    let serve = || {
        let _span = SpanBuilder::from_name("GET /").with_kind(SpanKind::Server).start(&tracer);
        std::panic::resume_unwind(Box::new("no cart"));
    };
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(serve)).is_err());
    tree::flush(&agent);
    assert_eq!(exporter.samples()[0].outcome, Outcome::Panicked);
}

#[test]
fn odd_input_is_bounded() {
    let sample = sample_of(|| {
        let tracer = global::tracer("é".repeat(1_000));
        let name = "é".repeat(1_000);
        let mut span = tracer.start(name.clone());
        for _ in 0..1_000 {
            span.add_event("exception", vec![KeyValue::new("exception.message", name.clone())]);
        }
        span.update_name(name.clone());
        let odd = [text("db.system.name", ""), text("messaging.system", ""), text("http.request.method", "")];
        call("", odd);
        for _ in 0..1_000 {
            tracer.start("many").end();
        }
    });
    assert_eq!((sample.spans.len(), sample.dropped_spans), (500, 502));
    let (span, odd) = (&sample.spans[0], &sample.spans[1]);
    assert!(span.signature.len() <= 256 && span.kind.len() <= 64, "{span:?}");
    assert_eq!(span.extra, [("error".into(), Value::from("é".repeat(128)))]);
    assert_eq!((odd.kind.as_ref(), odd.signature.as_ref()), ("db.other.query", ""));
}

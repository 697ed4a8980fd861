//! Spans of `tracing` through the crate `tracing-opentelemetry`.

use opbeat_core::{Agent, Config};
use opbeat_instrument::opentelemetry::TracerProvider;
use opbeat_testing::MemoryExporter;
use opentelemetry::trace::TracerProvider as _;
use tracing::{Instrument, Subscriber, error, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use crate::tree;

fn subscriber(provider: &TracerProvider) -> impl Subscriber + Send + Sync {
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("shop"));
    tracing_subscriber::registry().with(layer)
}

#[tracing::instrument(fields(otel.name = "find a book"))]
async fn find(id: u32) -> u32 {
    tokio::task::yield_now().await;
    drop(opbeat_core::span("SELECT FROM books", "db.sqlite.query"));
    async { tokio::task::yield_now().await }
        .instrument(info_span!(
            "GET",
            otel.kind = "client",
            http.request.method = "GET",
            server.address = "prices.example",
            http.response.status_code = tracing::field::Empty
        ))
        .await;
    id
}

#[tokio::test]
async fn instrumented_functions_are_spans() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let _subscriber = tracing::subscriber::set_default(subscriber(&TracerProvider::new()));
    let transaction = agent.begin_transaction("task.test");
    transaction
        .wrap(async {
            tokio::join!(find(1), find(2));
            info_span!("fails").in_scope(|| error!(error = "no cart", "the cart is lost"));
            let query = info_span!("query", db.system = "sqlite", db.statement = tracing::field::Empty);
            query.record("db.statement", "DELETE FROM carts WHERE id = 7");
            let _entered = query.enter();
            drop(opbeat_core::span("hidden", "app"));
        })
        .await;
    transaction.end("job", "ok");
    tree::flush(&agent);
    insta::assert_snapshot!(tree::sorted(&tree::of(&exporter, "job")), @r"
    db.sqlite.query DELETE FROM carts · sql=DELETE FROM carts WHERE id = ?
    db.sqlite.query SELECT FROM books
    db.sqlite.query SELECT FROM books
    ext.http.otel GET prices.example · method=GET, peer=prices.example
    ext.http.otel GET prices.example · method=GET, peer=prices.example
    otel.shop fails · error=error
    otel.shop find a book
    otel.shop find a book
    ");
}

#[test]
fn a_server_span_begins_a_transaction() {
    let exporter = MemoryExporter::default();
    let agent = Agent::with_exporter(&Config::default(), exporter.clone());
    let provider = TracerProvider::new().begin_transactions(&agent);
    tracing::subscriber::with_default(subscriber(&provider), || {
        let remote = opentelemetry::Context::new();
        let request = info_span!("request", otel.kind = "server", otel.name = "GET /books");
        request.set_parent(remote).expect("the span has not started");
        request.in_scope(|| drop(opbeat_core::span("SELECT FROM books", "db.sqlite.query")));
    });
    tree::flush(&agent);
    assert_eq!(agent.open_transactions(), 0);
    insta::assert_snapshot!(tree::of(&exporter, "GET /books"), @"db.sqlite.query SELECT FROM books");
}

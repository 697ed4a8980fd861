//! The same application, monitored by each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::routing::get;
use opentelemetry::trace::{Span as _, SpanId, Tracer as _};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use sentry::protocol::EnvelopeItem;

/// The variants, the bare router first.
pub const NAMES: [&str; 4] = ["bare", "opbeat", "otel-tower", "sentry-tower"];

/// Spans that OpenTelemetry's queue has room for. The default is 2,048.
const OTEL_QUEUE: usize = 8_192;

/// Child spans of a request to `/spans`.
pub const SPANS: u64 = 5;

/// What came out of a variant's exporter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Delivered {
    pub transactions: u64,
    /// Child spans.
    pub spans: u64,
}

/// Counts what an exporter gets.
#[derive(Clone, Debug, Default)]
struct Counter(Arc<[AtomicU64; 2]>);

impl Counter {
    fn add(&self, transactions: u64, spans: u64) {
        self.0[0].fetch_add(transactions, Ordering::Relaxed);
        self.0[1].fetch_add(spans, Ordering::Relaxed);
    }

    fn delivered(&self) -> Delivered {
        Delivered { transactions: self.0[0].load(Ordering::Relaxed), spans: self.0[1].load(Ordering::Relaxed) }
    }
}

/// A monitored application.
pub struct Variant {
    pub router: Router,
    /// Delivers what is recorded, and returns what was delivered since the start.
    pub deliver: Box<dyn Fn() -> Delivered>,
    /// Whether requests are recorded at all.
    pub records: bool,
    /// Lives as long as the application.
    _guard: Box<dyn std::any::Any>,
}

impl Variant {
    pub fn new(name: &str) -> Self {
        match name {
            "opbeat" => opbeat(),
            "otel-tower" => otel(),
            "sentry-tower" => sentry_tower(),
            _ => bare(),
        }
    }
}

fn router(spans: fn()) -> Router {
    Router::new().route("/users/{id}", get(|Path(id): Path<u64>| async move { id.to_string() })).route(
        "/spans",
        get(move || async move {
            spans();
            "done"
        }),
    )
}

fn bare() -> Variant {
    Variant { router: router(|| {}), deliver: Box::new(Delivered::default), records: false, _guard: Box::new(()) }
}

/// Counts transactions and their spans, and drops them.
struct Discard(Counter);

impl opbeat_core::Exporter for Discard {
    fn export(&mut self, batch: &mut opbeat_core::Batch) -> Result<(), opbeat_core::ExportError> {
        // Only samples keep their spans, but the breakdown counts them all, and `app` once a transaction.
        let spans = batch.breakdown.iter().filter(|record| record.span_kind != "app").map(|record| record.count);
        self.0.add(batch.transactions() as u64, spans.sum());
        batch.durations.clear();
        batch.breakdown.clear();
        batch.samples.clear();
        batch.errors.clear();
        Ok(())
    }
}

fn opbeat() -> Variant {
    let counter = Counter::default();
    let agent = opbeat_core::Agent::with_exporter(&opbeat_core::Config::default(), Discard(counter.clone()));
    let spans = || {
        for _ in 0..SPANS {
            let span = opbeat_core::span("SELECT FROM users", "db.sqlite.query");
            span.set_extra("table", "users");
        }
    };
    let router = router(spans).layer(opbeat_axum::OpbeatLayer::new(&agent));
    let flushed = agent.clone();
    let deliver = move || {
        flushed.flush(Duration::from_secs(30)).expect("the exporter takes everything");
        counter.delivered()
    };
    Variant { router, deliver: Box::new(deliver), records: true, _guard: Box::new(agent) }
}

/// Counts spans, and drops them.
#[derive(Debug)]
struct DiscardSpans(Counter);

impl SpanExporter for DiscardSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let roots = batch.iter().filter(|span| span.parent_span_id == SpanId::INVALID).count() as u64;
        self.0.add(roots, batch.len() as u64 - roots);
        Ok(())
    }
}

fn otel() -> Variant {
    let counter = Counter::default();
    // At its default length the queue drops even what a burst records, and looks cheaper than it is.
    let config = BatchConfigBuilder::default().with_max_queue_size(OTEL_QUEUE).build();
    let processor = BatchSpanProcessor::builder(DiscardSpans(counter.clone())).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    global::set_tracer_provider(provider.clone());
    let spans = || {
        let tracer = global::tracer("benchmark");
        for _ in 0..SPANS {
            let mut span = tracer.start("SELECT FROM users");
            span.set_attribute(KeyValue::new("table", "users"));
            span.end();
        }
    };
    let router = router(spans).layer(opentelemetry_instrumentation_tower::http::server::Layer::new());
    let flushed = provider.clone();
    let deliver = move || {
        flushed.force_flush().expect("the exporter takes everything");
        counter.delivered()
    };
    Variant { router, deliver: Box::new(deliver), records: true, _guard: Box::new(provider) }
}

/// Counts envelopes, and drops them.
struct DiscardEnvelopes(Counter);

impl sentry::Transport for DiscardEnvelopes {
    fn send_envelope(&self, envelope: sentry::Envelope) {
        for item in envelope.items() {
            if let EnvelopeItem::Transaction(transaction) = item {
                self.0.add(1, transaction.spans.len() as u64);
            }
        }
    }
}

fn sentry_tower() -> Variant {
    let counter = Counter::default();
    let transport: Arc<dyn sentry::Transport> = Arc::new(DiscardEnvelopes(counter.clone()));
    let options = sentry::ClientOptions::new()
        .dsn("https://public@sentry.example/1")
        .traces_sample_rate(1.0)
        .transport(move |_: &sentry::ClientOptions| Arc::clone(&transport));
    let guard = sentry::init(options);
    let spans = || {
        let parent = sentry::configure_scope(|scope| scope.get_span());
        for _ in 0..SPANS {
            if let Some(parent) = &parent {
                let span = parent.start_child("db", "SELECT FROM users");
                span.set_data("table", "users".into());
                span.finish();
            }
        }
    };
    let router = router(spans)
        .layer(sentry_tower::SentryHttpLayer::new().enable_transaction())
        .layer(sentry_tower::NewSentryLayer::<Request<Body>>::new_from_top());
    let deliver = move || counter.delivered();
    Variant { router, deliver: Box::new(deliver), records: true, _guard: Box::new(guard) }
}

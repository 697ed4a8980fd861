//! The same application, monitored by each.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::routing::get;
use opentelemetry::trace::{Span as _, Tracer as _};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};

/// The variants, the bare router first.
pub const NAMES: [&str; 4] = ["bare", "opbeat", "otel-tower", "sentry-tower"];

/// Child spans of a request to `/spans`.
const SPANS: usize = 5;

/// A monitored application.
pub struct Variant {
    pub router: Router,
    /// Delivers what is recorded, and returns how many transactions (for OpenTelemetry: spans) were delivered.
    pub delivered: Box<dyn Fn() -> u64>,
    /// What one plain request and one to `/spans` deliver.
    pub per_request: (u64, u64),
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
    Variant { router: router(|| {}), delivered: Box::new(|| 0), per_request: (0, 0), _guard: Box::new(()) }
}

/// Counts transactions, and drops them.
struct Discard(Arc<AtomicU64>);

impl opbeat_core::Exporter for Discard {
    fn export(&mut self, batch: &mut opbeat_core::Batch) -> Result<(), opbeat_core::ExportError> {
        self.0.fetch_add(batch.transactions() as u64, Ordering::Relaxed);
        batch.durations.clear();
        batch.samples.clear();
        batch.errors.clear();
        Ok(())
    }
}

fn opbeat() -> Variant {
    let count = Arc::new(AtomicU64::new(0));
    let agent = opbeat_core::Agent::with_exporter(&opbeat_core::Config::default(), Discard(Arc::clone(&count)));
    let spans = || {
        for _ in 0..SPANS {
            let span = opbeat_core::span("SELECT FROM users", "db.sqlite.query");
            span.set_extra("table", "users");
        }
    };
    let router = router(spans).layer(opbeat_axum::OpbeatLayer::new(&agent));
    let flushed = agent.clone();
    let delivered = move || {
        flushed.flush(Duration::from_secs(30)).expect("the exporter takes everything");
        count.load(Ordering::Relaxed)
    };
    Variant { router, delivered: Box::new(delivered), per_request: (1, 1), _guard: Box::new(agent) }
}

/// Counts spans, and drops them.
#[derive(Debug)]
struct DiscardSpans(Arc<AtomicU64>);

impl SpanExporter for DiscardSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn otel() -> Variant {
    let count = Arc::new(AtomicU64::new(0));
    // At its default length the queue drops what a closed loop records, and looks cheaper than it is.
    let config = BatchConfigBuilder::default().with_max_queue_size(65_536).with_max_export_batch_size(8_192).build();
    let processor = BatchSpanProcessor::builder(DiscardSpans(Arc::clone(&count))).with_batch_config(config).build();
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
    let delivered = move || {
        flushed.force_flush().expect("the exporter takes everything");
        count.load(Ordering::Relaxed)
    };
    Variant { router, delivered: Box::new(delivered), per_request: (1, 1 + SPANS as u64), _guard: Box::new(provider) }
}

/// Counts envelopes, and drops them.
struct DiscardEnvelopes(Arc<AtomicU64>);

impl sentry::Transport for DiscardEnvelopes {
    fn send_envelope(&self, _: sentry::Envelope) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn sentry_tower() -> Variant {
    let count = Arc::new(AtomicU64::new(0));
    let transport: Arc<dyn sentry::Transport> = Arc::new(DiscardEnvelopes(Arc::clone(&count)));
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
    let delivered = move || count.load(Ordering::Relaxed);
    Variant { router, delivered: Box::new(delivered), per_request: (1, 1), _guard: Box::new(guard) }
}

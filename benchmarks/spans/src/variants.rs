//! The compared crates, each set up as in its documentation. All exporters discard their input.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use opbeat_core::export::{Batch, ExportError, Exporter};
use opbeat_core::{Agent, Config};
use opbeat_instrument::tracing::{Row, SpanBridge};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};
use sentry::{ClientOptions, Envelope, Transport};
use sentry_tracing::EventFilter;
use tokio::runtime::Runtime;
use tracing::{Instrument, Subscriber, info_span};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;

/// The number of queries or spans in a transaction.
pub const QUERIES: u64 = 20;

/// The target of the spans.
pub const TARGET: &str = "shop::database";

/// The variants. All others are compared with the first one.
pub const VARIANTS: [&str; 4] = ["bare", "opbeat", "tracing-opentelemetry", "sentry-tracing"];

/// The capacity of OpenTelemetry's queue. With its default, it drops spans, and looks cheaper than it is.
const QUEUE: usize = 65_536;

/// The monitoring of the application.
pub trait Recording {
    /// Runs the work of one transaction.
    fn transaction(&self, runtime: &Runtime, work: Pin<Box<dyn Future<Output = ()> + '_>>);

    /// Waits until the recorded data is delivered.
    fn deliver(&self) {}
}

/// Starts the monitoring with a name.
pub fn recording(name: &str) -> Box<dyn Recording> {
    match name {
        "bare" => Box::new(Bare),
        "opbeat" => Box::new(Opbeat::start()),
        "tracing-opentelemetry" => Box::new(OpenTelemetry::start()),
        "sentry-tracing" => Box::new(Sentry::start()),
        _ => panic!("unknown variant {name:?}"),
    }
}

fn subscribe(subscriber: impl Subscriber + Send + Sync) {
    tracing::subscriber::set_global_default(subscriber).expect("it is set once");
}

struct Bare;

impl Recording for Bare {
    fn transaction(&self, runtime: &Runtime, work: Pin<Box<dyn Future<Output = ()> + '_>>) {
        runtime.block_on(work);
    }
}

struct Opbeat(Agent);

struct Discard;

impl Exporter for Discard {
    fn export(&mut self, _: &mut Batch) -> Result<(), ExportError> {
        Ok(())
    }
}

impl Opbeat {
    fn start() -> Self {
        let row = Row::span(TARGET, "query").kind("db.shop.query").signature_field("statement");
        subscribe(registry().with(SpanBridge::new().with_row(row).layer()));
        Self(Agent::with_exporter(&Config::default(), Discard))
    }
}

impl Recording for Opbeat {
    fn transaction(&self, runtime: &Runtime, work: Pin<Box<dyn Future<Output = ()> + '_>>) {
        let transaction = self.0.begin_transaction("task.benchmark");
        runtime.block_on(transaction.wrap(work));
        transaction.end("benchmark", "ok");
    }

    fn deliver(&self) {
        self.0.flush(Duration::from_secs(10)).expect("the exporter accepts everything");
    }
}

struct OpenTelemetry(SdkTracerProvider);

#[derive(Debug)]
struct DiscardSpans;

impl SpanExporter for DiscardSpans {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

impl OpenTelemetry {
    fn start() -> Self {
        let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
        let processor = BatchSpanProcessor::builder(DiscardSpans).with_batch_config(config).build();
        let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
        subscribe(registry().with(tracing_opentelemetry::layer().with_tracer(provider.tracer("benchmark"))));
        Self(provider)
    }
}

impl Recording for OpenTelemetry {
    fn transaction(&self, runtime: &Runtime, work: Pin<Box<dyn Future<Output = ()> + '_>>) {
        runtime.block_on(work.instrument(info_span!("benchmark")));
    }

    fn deliver(&self) {
        self.0.force_flush().expect("the exporter accepts everything");
    }
}

struct Sentry(sentry::ClientInitGuard);

struct DiscardEnvelopes;

impl Transport for DiscardEnvelopes {
    fn send_envelope(&self, _: Envelope) {}
}

impl Sentry {
    fn start() -> Self {
        let transport: Arc<dyn Transport> = Arc::new(DiscardEnvelopes);
        let options = ClientOptions::new()
            .dsn("https://public@sentry.example/1")
            .traces_sample_rate(1.0)
            .transport(move |_: &ClientOptions| Arc::clone(&transport));
        let guard = sentry::init(options);
        // By default, it ignores the level of sqlx's events and of the spans.
        let layer = sentry_tracing::layer().event_filter(|_| EventFilter::Breadcrumb).span_filter(|_| true);
        subscribe(registry().with(layer));
        Self(guard)
    }
}

impl Recording for Sentry {
    fn transaction(&self, runtime: &Runtime, work: Pin<Box<dyn Future<Output = ()> + '_>>) {
        runtime.block_on(work.instrument(info_span!("benchmark")));
    }

    fn deliver(&self) {
        self.0.flush(None);
    }
}

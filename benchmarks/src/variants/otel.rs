//! OpenTelemetry, with a batch processor.

use opentelemetry::trace::{Span as _, SpanId, Tracer as _};
use opentelemetry::{KeyValue, global};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchConfigBuilder, BatchSpanProcessor, SdkTracerProvider, SpanData, SpanExporter};

use super::{Counter, Recording, SPANS};

/// The capacity of the queue, in spans. With its default capacity of 2,048, it drops spans even in a burst, and looks
/// cheaper than it is.
const QUEUE: usize = 8_192;

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

/// Sets the process's tracer provider.
pub(super) fn start() -> Recording {
    let counter = Counter::default();
    let config = BatchConfigBuilder::default().with_max_queue_size(QUEUE).build();
    let processor = BatchSpanProcessor::builder(DiscardSpans(counter.clone())).with_batch_config(config).build();
    let provider = SdkTracerProvider::builder().with_span_processor(processor).build();
    global::set_tracer_provider(provider.clone());
    let flushed = provider.clone();
    let deliver = move || {
        flushed.force_flush().expect("the exporter takes everything");
        counter.delivered()
    };
    Recording::new(deliver, provider)
}

/// Five child spans.
pub(super) fn spans() {
    let tracer = global::tracer("benchmark");
    for _ in 0..SPANS {
        let mut span = tracer.start("SELECT FROM users");
        span.set_attribute(KeyValue::new("table", "users"));
        span.end();
    }
}

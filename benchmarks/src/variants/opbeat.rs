//! Opbeat.

use std::time::Duration;

use load::sink::{Manner, Sink, closed_port};
use opbeat_core::export::{Batch, ExportError, Exporter};
use opbeat_core::{Agent, Config};

use super::{Counter, Recording, SPANS};

const PATIENCE: Duration = Duration::from_secs(30);

/// Counts transactions and their spans, and drops them.
struct Discard(Counter);

impl Exporter for Discard {
    fn export(&mut self, batch: &mut Batch) -> Result<(), ExportError> {
        // Only samples contain spans. The breakdown counts all spans, and `app` once per transaction.
        let spans = batch.breakdown.iter().filter(|record| record.span_kind != "app").map(|record| record.count);
        self.0.add(batch.transactions() as u64, spans.sum());
        batch.durations.clear();
        batch.breakdown.clear();
        batch.samples.clear();
        batch.errors.clear();
        Ok(())
    }
}

/// Starts an agent whose exporter discards its input.
pub(super) fn discarding() -> (Agent, Recording) {
    let counter = Counter::default();
    let agent = Agent::with_exporter(&Config::default(), Discard(counter.clone()));
    let flushed = agent.clone();
    let deliver = move || {
        flushed.flush(PATIENCE).expect("the exporter takes everything");
        counter.delivered()
    };
    let recording = Recording::new(deliver, agent.clone());
    (agent, recording)
}

/// Starts an agent as applications do, which encodes, deflates and posts. The server has its own process.
pub(super) fn encoding() -> (Agent, Recording) {
    let mut sink = Sink::start(Manner::Healthy, closed_port());
    let config = Config::new("benchmark", "benchmark", "benchmark").server_url(sink.url());
    let agent = Agent::start(&config).expect("the configuration can work");
    let flushed = agent.clone();
    let deliver = move || {
        flushed.flush(PATIENCE).expect("the server accepts everything");
        sink.delivered()
    };
    let recording = Recording::new(deliver, agent.clone());
    (agent, recording)
}

/// Five child spans.
pub(super) fn spans() {
    for _ in 0..SPANS {
        let span = opbeat_core::span("SELECT FROM users", "db.sqlite.query");
        span.set_extra("table", "users");
    }
}

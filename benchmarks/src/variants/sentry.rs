//! Sentry, with a transaction for every request.

use std::hint::black_box;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use sentry::protocol::EnvelopeItem;
use sentry::{ClientOptions, Envelope, Transport};

use super::{Counter, Recording, SPANS};

/// The maximum number of envelopes that wait for encoding. Sentry's own transports hold 30.
const QUEUE: usize = 8_192;

/// Counts envelopes, and drops them.
struct Discard(Counter);

impl Transport for Discard {
    fn send_envelope(&self, envelope: Envelope) {
        count(&envelope, &self.0);
    }
}

fn count(envelope: &Envelope, counter: &Counter) {
    for item in envelope.items() {
        if let EnvelopeItem::Transaction(transaction) = item {
            counter.add(1, transaction.spans.len() as u64);
        }
    }
}

/// Starts a client that discards its envelopes.
pub(super) fn discarding() -> Recording {
    let counter = Counter::default();
    let guard = start(Arc::new(Discard(counter.clone())));
    Recording::new(move || counter.delivered(), guard)
}

/// A command for the encoding thread.
#[expect(clippy::large_enum_variant, reason = "Sentry's own transports pass envelopes on in the same way")]
enum Order {
    Encode(Envelope),
    /// Confirms that all earlier commands are finished.
    Answer(SyncSender<()>),
}

/// Passes envelopes on, as Sentry's own transports do. Envelopes are dropped if the channel is full.
struct Encode(SyncSender<Order>);

impl Transport for Encode {
    fn send_envelope(&self, envelope: Envelope) {
        // Dropped records are detected by comparison with the delivered ones.
        let _ = self.0.try_send(Order::Encode(envelope));
    }
}

/// Starts a client whose envelopes are written as bytes on a separate thread, and then discarded.
pub(super) fn encoding() -> Recording {
    let (counter, (orders, received)) = (Counter::default(), sync_channel(QUEUE));
    let counting = counter.clone();
    thread::spawn(move || encode(&received, &counting));
    let guard = start(Arc::new(Encode(orders.clone())));
    let deliver = move || {
        let (done, is_done) = sync_channel(1);
        orders.send(Order::Answer(done)).expect("the thread runs");
        is_done.recv().expect("the thread runs");
        counter.delivered()
    };
    Recording::new(deliver, guard)
}

fn encode(orders: &Receiver<Order>, counter: &Counter) {
    for order in orders {
        match order {
            Order::Encode(envelope) => {
                let mut bytes = Vec::new();
                envelope.to_writer(&mut bytes).expect("memory can be written to");
                black_box(bytes);
                count(&envelope, counter);
            }
            Order::Answer(done) => done.send(()).expect("the caller waits"),
        }
    }
}

fn start(transport: Arc<dyn Transport>) -> sentry::ClientInitGuard {
    let options = ClientOptions::new()
        .dsn("https://public@sentry.example/1")
        .traces_sample_rate(1.0)
        .transport(move |_: &ClientOptions| Arc::clone(&transport));
    sentry::init(options)
}

/// Five child spans.
pub(super) fn spans() {
    let parent = sentry::configure_scope(|scope| scope.get_span());
    for _ in 0..SPANS {
        if let Some(parent) = &parent {
            let span = parent.start_child("db", "SELECT FROM users");
            span.set_data("table", "users".into());
            span.finish();
        }
    }
}

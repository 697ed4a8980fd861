//! fastrace.

use std::time::Duration;

use fastrace::collector::{Config, EventRecord, Reporter, SpanRecord};
use fastrace::future::FutureExt;
use fastrace::local::LocalSpan;
use fastrace::{Event, Span};
use fastrace_axum::FastraceLayer;
use tokio::task::JoinHandle;

use super::Peer;
use crate::applications::axum as application;
use crate::cart::CartError;
use crate::peer_api::PeerApi;
use crate::recorded::{Failure, Kept, Record, Recorded, Request, Tags};
use crate::spans::{Node, paths};

const API: PeerApi = PeerApi {
    tag: |key, value| LocalSpan::add_property(|| (key, value)),
    describe,
    // Spans are named when they start.
    rename: |_| {},
    capture,
    shed: || LocalSpan::add_property(|| ("shed", "true")),
    count_shelves,
};

pub fn axum() -> Peer {
    let kept = Kept::default();
    fastrace::set_reporter(kept.clone(), Config::default());
    let setup = application::Setup { api: API, failures: application::failures, answer: application::answer };
    Peer::new(application::serve(setup, |router, _| router.layer(FastraceLayer::default())), kept)
}

fn describe() {
    LocalSpan::add_property(|| ("user.id", "7"));
    let outer = LocalSpan::enter_with_local_parent("render");
    drop(LocalSpan::enter_with_local_parent("SELECT FROM books"));
    drop(outer);
}

/// It has events but no names of its own for errors, so these are OpenTelemetry's.
fn capture(error: &CartError) {
    LocalSpan::add_event(Event::new("exception").with_property(|| ("exception.message", error.to_string())));
}

fn count_shelves() -> JoinHandle<()> {
    tokio::spawn(async {}.in_span(Span::enter_with_local_parent("count shelves")))
}

impl Reporter for Kept<SpanRecord> {
    fn report(&mut self, mut spans: Vec<SpanRecord>) {
        self.lock().append(&mut spans);
    }
}

impl Record for Kept<SpanRecord> {
    fn clear(&self) {
        fastrace::flush();
        self.lock().clear();
    }

    fn recorded(&self) -> Recorded {
        fastrace::flush();
        let kept = self.lock();
        let is_request = |span: &&SpanRecord| span.properties.iter().any(|(key, _)| key == "http.request.method");
        let (roots, others): (Vec<&SpanRecord>, Vec<_>) = kept.iter().partition(is_request);
        let requests = roots.into_iter().map(|root| request(root, &others)).collect();
        let exceptions = kept.iter().flat_map(|span| &span.events).filter(|event| event.name == "exception");
        Recorded { requests, failures: exceptions.map(failure).collect() }
    }
}

fn request(root: &SpanRecord, others: &[&SpanRecord]) -> Request {
    let mut tags = tags(&root.properties);
    let own = others.iter().filter(|span| span.trace_id == root.trace_id);
    let nodes = own.map(|span| Node { id: span.span_id, parent: Some(span.parent_id), name: &span.name });
    Request {
        name: root.name.to_string(),
        code: tags.remove("http.response.status_code").and_then(|code| code.parse().ok()),
        // It marks requests with statuses only.
        mark: String::new(),
        duration: Duration::from_nanos(root.duration_ns),
        user: tags.remove("user.id"),
        tags,
        spans: paths(&nodes.collect::<Vec<_>>()),
    }
}

fn failure(event: &EventRecord) -> Failure {
    let message = tags(&event.properties).remove("exception.message").unwrap_or_default();
    Failure { message, is_tied: true, ..Failure::default() }
}

type Properties = [(std::borrow::Cow<'static, str>, std::borrow::Cow<'static, str>)];

fn tags(properties: &Properties) -> Tags {
    properties.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

//! `tracing` spans of requests, bridged to OpenTelemetry.

use opentelemetry::trace::{TraceContextExt, TracerProvider};
use tokio::task::JoinHandle;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

use super::Peer;
use super::server_spans::provider;
use crate::applications::axum as application;
use crate::cart::CartError;
use crate::peer_api::PeerApi;

const API: PeerApi = PeerApi {
    tag: |key, value| Span::current().set_attribute(key, value),
    describe,
    rename: |name| Span::current().context().span().update_name(name),
    capture,
    shed: || Span::current().set_attribute("shed", true),
    count_shelves,
};

pub fn axum() -> Peer {
    let (provider, kept) = provider();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("behaviour"));
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::set_global_default(subscriber).expect("this process has no other subscriber");
    // The provider lives as long as the process.
    std::mem::forget(provider);
    let setup = application::Setup { api: API, failures: application::failures, answer: application::answer };
    let layer = axum_tracing_opentelemetry::middleware::OtelAxumLayer::default();
    Peer::new(application::serve(setup, |router, _| router.layer(layer.clone())), kept)
}

fn describe() {
    Span::current().set_attribute("user.id", "7");
    let outer = tracing::info_span!("render").entered();
    tracing::info_span!("SELECT FROM books").in_scope(|| ());
    drop(outer);
}

fn capture(error: &CartError) {
    tracing::error!(error = error as &dyn std::error::Error);
}

fn count_shelves() -> JoinHandle<()> {
    let counting = async { tracing::info_span!("count shelves").in_scope(|| ()) };
    tokio::spawn(counting.in_current_span())
}

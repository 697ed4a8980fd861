//! OpenTelemetry's own crates.

use opentelemetry::trace::{FutureExt, Status, Tracer, get_active_span};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_instrumentation_actix_web::RequestTracing;
use opentelemetry_instrumentation_tower::http::server::Layer;
use tokio::task::JoinHandle;

use super::Peer;
use super::server_spans::provider;
use crate::applications::{self, actix};
use crate::peer_api::PeerApi;

const API: PeerApi = PeerApi {
    tag: |key, value| get_active_span(|span| span.set_attribute(KeyValue::new(key, value))),
    describe,
    rename: |name| get_active_span(|span| span.update_name(name)),
    capture: |error| get_active_span(|span| span.record_error(error)),
    shed: || get_active_span(|span| span.set_status(Status::error("shed"))),
    count_shelves,
};

pub fn axum() -> Peer {
    let (provider, kept) = provider();
    global::set_tracer_provider(provider);
    let setup = applications::axum::Setup {
        api: API,
        failures: applications::axum::failures,
        answer: applications::axum::answer,
    };
    Peer::new(applications::axum::serve(setup, |router, _| router.layer(Layer::new())), kept)
}

pub fn actix() -> Peer {
    let (provider, kept) = provider();
    global::set_tracer_provider(provider);
    let setup = actix::Setup { api: API, failures: actix::failures };
    Peer::new(actix::serve!(setup, RequestTracing::new()), kept)
}

fn describe() {
    get_active_span(|span| span.set_attribute(KeyValue::new("user.id", "7")));
    let tracer = global::tracer("behaviour");
    tracer.in_span("render", |_| tracer.in_span("SELECT FROM books", |_| ()));
}

fn count_shelves() -> JoinHandle<()> {
    let counting = async { global::tracer("behaviour").in_span("count shelves", |_| ()) };
    tokio::spawn(counting.with_context(Context::current()))
}

//! Sentry, with a transaction for each request, its panic integration, and stacks in all events.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use sentry::protocol::SpanStatus;
use sentry::{ClientOptions, Envelope, Hub, SentryFutureExt, TransactionOrSpan, Transport, configure_scope};
use sentry_backtrace::{AttachStacktraceIntegration, ProcessStacktraceIntegration};
use sentry_panic::PanicIntegration;
use sentry_tower::{NewSentryLayer, SentryHttpLayer};
use tokio::task::JoinHandle;

use super::Peer;
use super::envelopes::recorded;
use crate::applications::{self, actix};
use crate::peer_api::PeerApi;
use crate::recorded::{Kept, Record, Recorded};

const API: PeerApi = PeerApi {
    tag: |key, value| configure_scope(|scope| scope.set_tag(key, value)),
    describe,
    rename: |name| configure_scope(|scope| scope.set_transaction(Some(name))),
    capture: |error| _ = sentry::capture_error(error),
    shed: || current(|span| span.set_status(SpanStatus::ResourceExhausted)),
    count_shelves,
};

pub fn axum() -> Peer {
    let kept = start();
    let setup = applications::axum::Setup {
        api: API,
        failures: applications::axum::failures,
        answer: applications::axum::answer,
    };
    let address = applications::axum::serve(setup, |router, _| {
        let http = SentryHttpLayer::new().enable_transaction();
        router.layer(http).layer(NewSentryLayer::<Request<Body>>::new_from_top())
    });
    Peer::new(address, kept)
}

pub fn actix() -> Peer {
    let kept = start();
    let setup = actix::Setup { api: API, failures: actix::failures };
    Peer::new(actix::serve!(setup, sentry_actix::Sentry::with_transaction()), kept)
}

/// Starts the client on the main thread, since new hubs derive from its hub.
fn start() -> Kept<Envelope> {
    let kept = Kept::default();
    let transport: Arc<dyn Transport> = Arc::new(kept.clone());
    let options = ClientOptions::new()
        .dsn("https://public@sentry.example/1")
        .traces_sample_rate(1.0)
        .attach_stacktrace(true)
        .add_integration(AttachStacktraceIntegration)
        .add_integration(PanicIntegration::default())
        .add_integration(ProcessStacktraceIntegration)
        .transport(move |_: &ClientOptions| Arc::clone(&transport));
    // The client lives as long as the process.
    std::mem::forget(sentry::init(options));
    kept
}

impl Transport for Kept<Envelope> {
    fn send_envelope(&self, envelope: Envelope) {
        self.lock().push(envelope);
    }
}

impl Record for Kept<Envelope> {
    fn clear(&self) {
        self.lock().clear();
    }

    fn recorded(&self) -> Recorded {
        recorded(&self.lock())
    }
}

fn current(tell: impl FnOnce(TransactionOrSpan)) {
    if let Some(span) = configure_scope(|scope| scope.get_span()) {
        tell(span);
    }
}

fn describe() {
    let user = sentry::User { id: Some("7".to_owned()), ..sentry::User::default() };
    configure_scope(|scope| scope.set_user(Some(user)));
    current(|request| {
        let outer = request.start_child("template", "render");
        outer.start_child("db", "SELECT FROM books").finish();
        outer.finish();
    });
}

fn count_shelves() -> JoinHandle<()> {
    let counting = async { current(|request| request.start_child("code", "count shelves").finish()) };
    tokio::spawn(counting.bind_hub(Hub::current()))
}

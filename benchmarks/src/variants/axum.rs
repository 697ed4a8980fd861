//! The application on axum.

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::Request;
use axum::routing::get;
use opbeat_axum::OpbeatLayer;
use opentelemetry_instrumentation_tower::http::server::Layer as OtelLayer;
use sentry_tower::{NewSentryLayer, SentryHttpLayer};

use super::floor::{Floor, FloorLayer};
use super::{Recording, floor, opbeat, otel, sentry};
use crate::driver::{Axum, Drive, Driver};

pub(super) fn variant(name: &str) -> (Box<dyn Drive>, Recording) {
    let (router, recording) = application(name);
    (Box::new(Driver::new(|_| Axum::new(router))), recording)
}

/// Creates an application to be served.
pub fn application(name: &str) -> (Router, Recording) {
    match name {
        "bare" => (router(|| {}), Recording::none()),
        "floor" => {
            let (floor, recording) = Floor::start();
            (router(floor::spans).layer(FloorLayer::new(floor)), recording)
        }
        "opbeat" | "opbeat-enc" => {
            let (agent, recording) = if name == "opbeat" { opbeat::discarding() } else { opbeat::encoding() };
            (router(opbeat::spans).layer(OpbeatLayer::new(&agent)), recording)
        }
        "otel-tower" => {
            let recording = otel::start();
            (router(otel::spans).layer(OtelLayer::new()), recording)
        }
        "sentry-tower" | "sentry-tower-enc" => {
            let recording = if name == "sentry-tower" { sentry::discarding() } else { sentry::encoding() };
            let http = SentryHttpLayer::new().enable_transaction();
            (router(sentry::spans).layer(http).layer(NewSentryLayer::<Request<Body>>::new_from_top()), recording)
        }
        _ => panic!("unknown variant {name}"),
    }
}

fn router(spans: fn()) -> Router {
    let in_spans = move || async move {
        spans();
        "done"
    };
    Router::new()
        .route("/users/{id}", get(|Path(id): Path<u64>| async move { id.to_string() }))
        .route("/spans", get(in_spans))
}

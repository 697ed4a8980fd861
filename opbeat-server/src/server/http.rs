//! One HTTP server for intake, pages and API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, map_request, map_response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use super::health::Health;
use super::{endpoints, unread_body};
use crate::api;
use crate::dashboard::{self, Dashboard};
use crate::directory::StoreDirectory;
use crate::intake::{self, Gate, Intake, IntakeLimits, Refusals};
use crate::otlp;
use crate::query::Query;
use crate::queue::Queue;
use crate::service_directory::StoreServices;
use crate::sessions::Sessions;
use crate::store::Store;

/// The smallest response that is compressed, in bytes. A smaller one fits into one packet.
const MIN_COMPRESSED: u64 = 1_024;

/// The parts that the routes need.
pub(super) struct Parts {
    pub(super) queue: Queue,
    pub(super) directory: StoreDirectory,
    pub(super) limits: IntakeLimits,
    pub(super) refusals: Refusals,
    pub(super) gate: Gate,
    pub(super) store: Store,
    pub(super) health: Health,
    pub(super) sessions: Sessions,
    pub(super) page_timeout: Duration,
}

/// Makes the routes of intake, health check, API and pages.
pub(super) fn router(parts: Parts) -> Router {
    let query = Query::new(parts.store.clone());
    let dashboard = Dashboard { query: query.clone(), sessions: parts.sessions };
    let (tokens, origins) = (Arc::new(parts.directory.clone()), Arc::new(parts.directory.clone()));
    let intake = Intake::new(parts.queue, tokens, origins, parts.limits, parts.refusals, parts.gate);
    let services = Arc::new(StoreServices::new(parts.store, parts.directory));
    let programs = intake::router(intake.clone())
        .merge(otlp::router(intake, services))
        .merge(parts.health.router())
        .merge(api::router(query))
        .merge(endpoints::unknown())
        .layer(map_response(endpoints::format_rejection));
    let routes = programs.merge(dashboard::router(dashboard, parts.page_timeout));
    // Layers of a router run after its routes were matched. This outer router has no routes, so that its layers run
    // before the others are matched.
    Router::new()
        .fallback_service(routes)
        .layer(map_response(endpoints::add_retry_after))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(MIN_COMPRESSED).and(DefaultPredicate::new())))
        .layer(from_fn(endpoints::answer_options))
        .layer(map_request(endpoints::join_slashes))
        .layer(from_fn(unread_body::read_rest))
}

/// Serves until `stopped` is true, then finishes the running requests.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means that the `Server` was dropped without being shut down: stop as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    if let Err(error) = axum::serve(listener, service).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the HTTP server failed; restart this process");
    }
}

//! One HTTP server for intake, pages and API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::api;
use crate::dashboard::{self, Dashboard};
use crate::directory::StoreDirectory;
use crate::intake::{self, IntakeLimits};
use crate::query::Query;
use crate::queue::Queue;
use crate::store::Store;

/// The parts that the routes need.
pub(super) struct Parts {
    pub(super) queue: Queue,
    pub(super) directory: Arc<StoreDirectory>,
    pub(super) limits: IntakeLimits,
    pub(super) store: Store,
    pub(super) listens_to_loopback: bool,
}

/// Makes the routes of intake, health check, API and pages.
pub(super) fn router(parts: &Parts) -> Router {
    let health = Health { queue: parts.queue.clone(), store: parts.store.clone() };
    let query = Query::new(parts.store.clone());
    let dashboard = Dashboard { query: query.clone(), open_to_loopback: parts.listens_to_loopback };
    let (tokens, origins) = (Arc::clone(&parts.directory), Arc::clone(&parts.directory));
    intake::router(parts.queue.clone(), tokens, origins, parts.limits)
        .merge(Router::new().route("/healthz", get(healthz)).with_state(health))
        .merge(api::router(query))
        .merge(dashboard::router(dashboard))
}

/// Serves until `stopped` is true, then finishes the running requests.
pub(super) async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let stop = async move {
        // An error means that the `Server` was dropped without being shut down: stop as well.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(stop).await {
        tracing::error!(%error, "the HTTP server failed; restart this process");
    }
}

/// The parts whose state the health check reports.
#[derive(Clone)]
struct Health {
    queue: Queue,
    store: Store,
}

/// Returns 200 while data is accepted, and the state of each part.
///
/// Data is accepted while the database is not available, but not while the queue is full.
async fn healthz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let database = if health.store.is_reachable().await { "ok" } else { "unavailable" };
    let is_full = health.queue.is_full();
    let queue = if is_full { "full" } else { "ok" };
    let status = if is_full { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "status": if is_full { "rejecting" } else { "accepting" },
        "version": env!("CARGO_PKG_VERSION"),
        "queue": { "state": queue, "backlog_bytes": health.queue.backlog() },
        "database": { "state": database },
    });
    (status, Json(body))
}

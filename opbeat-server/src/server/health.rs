//! The health check `/healthz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::queue::Queue;
use crate::store::Store;

#[derive(Clone)]
pub(super) struct Health {
    pub(super) queue: Queue,
    pub(super) store: Store,
}

/// Returns 200 while data is accepted, and the state of each part.
///
/// Data is accepted while the database is not available, but not while the queue is full.
pub(super) async fn healthz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
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

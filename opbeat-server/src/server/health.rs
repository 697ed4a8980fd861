//! Whether the server works.

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

/// Answers 200 while data is accepted, and says how the parts are. The database may be away for that; the queue not.
pub(super) async fn healthz(State(health): State<Health>) -> (StatusCode, Json<Value>) {
    let database = if health.store.is_reachable().await { "ok" } else { "away" };
    let is_full = health.queue.is_full();
    let queue = if is_full { "full" } else { "ok" };
    let status = if is_full { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK };
    let body = json!({
        "status": if is_full { "refusing" } else { "accepting" },
        "version": env!("CARGO_PKG_VERSION"),
        "queue": { "state": queue, "backlog_bytes": health.queue.backlog() },
        "database": { "state": database },
    });
    (status, Json(body))
}

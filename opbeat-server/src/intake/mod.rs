//! Intake: takes what agents post, checks it, and answers 202 when the queue has it on disk.
//!
//! ```text
//! method ─► token ─► size ─► inflate ─► shape and meaning ─► queue ─► 202
//!   405     401 403   413      400 413        400              503
//! ```
//!
//! It knows tokens by a [`TokenDirectory`] alone, never the store: data is accepted while the database is away.

mod authenticate;
mod body;
mod handler;
mod inflate;
mod rejection;
mod validate;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::sync::Semaphore;

pub use authenticate::{DirectoryUnavailable, TokenDirectory, TokenOwner, hash_token};
pub use inflate::{InflateError, inflate};
pub use rejection::Rejection;
pub use validate::{parse_errors, parse_transactions};

use crate::queue::Queue;

/// What one request may cost.
#[derive(Clone, Copy, Debug)]
pub struct IntakeLimits {
    /// Bytes of a body as it is sent.
    pub body: usize,
    /// Bytes of a body after inflating.
    pub inflated: usize,
    /// The time that a body may take to arrive.
    pub body_timeout: Duration,
    /// Bodies that are inflated and checked at once.
    pub at_once: usize,
}

impl Default for IntakeLimits {
    fn default() -> Self {
        Self { body: 4 << 20, inflated: 32 << 20, body_timeout: Duration::from_secs(30), at_once: 4 }
    }
}

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Intake {
    queue: Queue,
    tokens: Arc<dyn TokenDirectory>,
    limits: IntakeLimits,
    at_once: Arc<Semaphore>,
}

/// Makes the routes below `/api/v1/`.
pub fn router(queue: Queue, tokens: Arc<dyn TokenDirectory>, limits: IntakeLimits) -> Router {
    let at_once = Arc::new(Semaphore::new(limits.at_once));
    let intake = Intake { queue, tokens, limits, at_once };
    let errors = || post(handler::errors).fallback(handler::method_not_allowed);
    let transactions = || post(handler::transactions).fallback(handler::method_not_allowed);
    let app = || get(handler::app).fallback(handler::app_method_not_allowed);
    Router::new()
        .route("/api/v1/organizations/{organization}/apps/{app}/", app())
        .route("/api/v1/organizations/{organization}/apps/{app}", app())
        .route("/api/v1/organizations/{organization}/apps/{app}/errors/", errors())
        .route("/api/v1/organizations/{organization}/apps/{app}/errors", errors())
        .route("/api/v1/organizations/{organization}/apps/{app}/transactions/", transactions())
        .route("/api/v1/organizations/{organization}/apps/{app}/transactions", transactions())
        .route("/api/v1/{*rest}", axum::routing::any(handler::not_found))
        // Bodies are capped where they are read, by the limit of their endpoint.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::map_response(rejection::in_form))
        .with_state(intake)
}

//! The routes of the intake.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::authenticate::TokenDirectory;
use super::handler::{self, Intake};
use super::limits::IntakeLimits;
use super::refusals::Refusals;
use super::rejection;
use crate::queue::Queue;

/// Returns the routes below `/api/v1/`.
pub(crate) fn router(
    queue: Queue,
    tokens: Arc<dyn TokenDirectory>,
    limits: IntakeLimits,
    refusals: Refusals,
) -> Router {
    let intake = Intake::new(queue, tokens, limits, refusals);
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
        // `body::read` limits bodies, by `IntakeLimits`.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::map_response(rejection::reshape_framework_rejection))
        .with_state(intake)
}

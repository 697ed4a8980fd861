//! The answer to what layers fail with.

use std::error::Error;

use axum::http::StatusCode;
use opbeat_tower::{CapturedError, Outcome, current, outcome_of};

/// Answers what a tower layer failed with, for axum's `HandleErrorLayer`, and says so to the transaction: 504 for
/// `timeout`, 503 for `load_shed`, 500 and a report for any other.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use axum::{Router, error_handling::HandleErrorLayer, routing::get};
/// use opbeat_axum::{Agent, OpbeatLayer, handle_error};
/// use tower::ServiceBuilder;
///
/// # let agent = Agent::disabled();
/// let limits = ServiceBuilder::new()
///     .layer(HandleErrorLayer::new(handle_error))
///     .load_shed()
///     .concurrency_limit(100)
///     .timeout(Duration::from_secs(10));
/// let app: Router = Router::new()
///     .route("/", get(async || "hello"))
///     .layer(limits)
///     .layer(OpbeatLayer::new(&agent));
/// ```
pub async fn handle_error(error: Box<dyn Error + Send + Sync>) -> (StatusCode, &'static str) {
    let outcome = outcome_of(&*error);
    match outcome {
        Outcome::TimedOut => {
            current().set_outcome(outcome);
            (StatusCode::GATEWAY_TIMEOUT, "this took too long")
        }
        Outcome::Shed => {
            current().set_outcome(outcome);
            (StatusCode::SERVICE_UNAVAILABLE, "there is too much to do; try again in a moment")
        }
        _ => {
            current().report_captured(&CapturedError::received(&*error));
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

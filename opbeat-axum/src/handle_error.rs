//! The responses to errors of layers.

use std::error::Error;

use axum::http::StatusCode;
use opbeat_core::current;
use opbeat_core::http::CapturedError;
use opbeat_core::record::Outcome;
use opbeat_tower::failure::outcome_of;

/// Responds to the error of a tower layer, as the handler of axum's `HandleErrorLayer`, and records its outcome:
///
/// - `timeout`: 504, and the transaction counts as timed out,
/// - `load_shed`: 503, and the transaction counts as shed,
/// - any other error: 500, and the error is reported.
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
            (StatusCode::GATEWAY_TIMEOUT, "the request timed out")
        }
        Outcome::Shed => {
            current().set_outcome(outcome);
            (StatusCode::SERVICE_UNAVAILABLE, "the server is overloaded; try again later")
        }
        _ => {
            current().report_captured(&CapturedError::received(&*error));
            (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
        }
    }
}

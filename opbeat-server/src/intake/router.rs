//! The routes of the intake.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{MethodRouter, get, post};

use super::handler::{self, Intake};
use super::{client_side, rejection, releases};

/// The path of an app.
const APP: &str = "/api/v1/organizations/{organization}/apps/{app}/";

/// Returns the routes below `/api/v1/`.
pub(crate) fn router(intake: Intake) -> Router {
    let app = || get(handler::app).fallback(handler::app_method_not_allowed);
    let with_token = |route: MethodRouter<Intake>| route.fallback(handler::method_not_allowed);
    let of_browsers =
        |route: MethodRouter<Intake>| route.options(client_side::preflight).fallback(client_side::method_not_allowed);
    let endpoints = [
        ("errors", with_token(post(handler::errors))),
        ("transactions", with_token(post(handler::transactions))),
        ("releases", with_token(post(releases::releases))),
        ("deployments", with_token(post(releases::deployments))),
        ("client-side/errors", of_browsers(post(client_side::errors))),
        ("client-side/transactions", of_browsers(post(client_side::transactions))),
        ("errors.gif", get(client_side::image).fallback(client_side::image_method_not_allowed)),
    ];
    let mut router = Router::new().route(APP, app()).route(APP.trim_end_matches('/'), app());
    for (name, route) in endpoints {
        router = router.route(&format!("{APP}{name}/"), route.clone()).route(&format!("{APP}{name}"), route);
    }
    router
        .route("/api/v1/{*rest}", axum::routing::any(handler::not_found))
        // `body::read` limits bodies, by `IntakeLimits`.
        .layer(DefaultBodyLimit::disable())
        .layer(axum::middleware::map_response(rejection::reshape_framework_rejection))
        .with_state(intake)
}

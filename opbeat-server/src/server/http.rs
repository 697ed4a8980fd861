//! One HTTP server for the health check, intake, pages and API.

use std::net::SocketAddr;

use axum::Router;
use axum::middleware::{from_fn, map_request, map_response};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use super::roles::{IntakeRole, WebRole};
use super::{endpoints, unread_body};

/// The smallest response that is compressed, in bytes. A smaller one fits into one packet.
const MIN_COMPRESSED: u64 = 1_024;

/// Makes the routes of the health check, and those of the roles that run in this process.
pub(super) fn router(health: Router, intake: Option<&IntakeRole>, web: Option<&WebRole>) -> Router {
    let programs = [intake.map(IntakeRole::router), web.map(WebRole::api)].into_iter().flatten();
    let programs = programs
        .fold(health, Router::merge)
        .merge(endpoints::unknown())
        .layer(map_response(endpoints::format_rejection));
    let routes = match web {
        Some(web) => programs.merge(web.pages()),
        None => programs.fallback(endpoints::not_found),
    };
    // Layers of a router run after its routes were matched. This outer router has no routes, so that its layers run
    // before the others are matched.
    Router::new()
        .fallback_service(routes)
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

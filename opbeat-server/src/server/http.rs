//! The routes of the health check, and of the roles that run in a process.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_request, map_response};
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate, SizeAbove};

use super::roles::{IntakeRole, WebRole};
use super::{endpoints, sites, unread_body};
use crate::site::Sites;

/// The smallest response that is compressed, in bytes. A smaller one fits into one packet.
const MIN_COMPRESSED: u64 = 1_024;

/// Makes the routes of the process itself, and those of the roles that run in it.
pub(super) fn router(process: Router, intake: Option<&IntakeRole>, web: Option<&WebRole>, sites: Arc<Sites>) -> Router {
    let programs = [intake.map(IntakeRole::router), web.map(WebRole::api)].into_iter().flatten();
    let programs = programs
        .fold(process, Router::merge)
        .merge(endpoints::unknown())
        .layer(map_response(endpoints::format_rejection))
        .layer(from_fn(sites::complete_location));
    let routes = match web {
        Some(web) => programs.merge(web.pages()),
        None => programs.fallback(endpoints::not_found),
    };
    // Layers of a router run after its routes were matched. This outer router has no routes, so that its layers run
    // before the others are matched.
    Router::new()
        .fallback_service(routes)
        .layer(map_response(endpoints::add_retry_after))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(MIN_COMPRESSED).and(DefaultPredicate::new())))
        .layer(from_fn(endpoints::answer_options))
        .layer(map_request(endpoints::join_slashes))
        .layer(from_fn_with_state(sites, sites::identify))
        .layer(from_fn(unread_body::read_rest))
}

//! The routes of the pages.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use super::access::Dashboard;
use super::layout::STYLE_PATH;
use super::pages;
use super::path;
use super::problem::{self, Problem};
use crate::site::Site;

const STYLE: &str = include_str!("style.css");

/// Pages load this server's own style and pictures only, and run no script.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Makes the routes of all pages.
pub(crate) fn router(dashboard: Dashboard, time_limit: Duration) -> Router {
    Router::new()
        .route("/", get(pages::apps))
        .route("/{organization}/{app}/", get(pages::transactions))
        .route("/{organization}/{app}", get(pages::transactions))
        .route("/{organization}/{app}/transactions/{transaction}", get(pages::transaction))
        .route("/{organization}/{app}/transactions/{transaction}/samples/{sample}", get(pages::sample))
        .route("/{organization}/{app}/releases/", get(pages::releases))
        .route("/{organization}/{app}/releases/{number}/", get(pages::release))
        .route("/{organization}/{app}/intake/", get(pages::intake))
        .route("/{organization}/{app}/setup/", get(pages::setup))
        .route("/{organization}/{app}/notifications/", get(pages::notifications).post(pages::change_notifications))
        .route("/{organization}/{app}/queries/", get(pages::queries))
        .route("/{organization}/{app}/queries/{span}/", get(pages::query))
        .route("/{organization}/{app}/calls/", get(pages::calls))
        .route("/{organization}/{app}/calls/{span}/", get(pages::call))
        .route("/{organization}/{app}/jobs/", get(pages::jobs))
        .route("/{organization}/{app}/crons/", get(pages::crons))
        .route("/{organization}/{app}/errors/", get(pages::errors))
        .route("/{organization}/{app}/errors/change", post(pages::change_errors))
        .route("/{organization}/{app}/errors/{number}/", get(pages::error))
        .route("/{organization}/{app}/errors/{number}/comments", post(pages::comment))
        .route("/{organization}/{app}/errors/by-id/{id}", get(pages::error_by_id))
        .route("/{organization}/{app}/errors/by-id/{id}/", get(pages::error_by_id))
        .route("/{organization}/people", get(pages::people))
        .route("/{organization}/people/", get(pages::people).post(pages::change_people))
        .route("/{organization}/people/audit/", get(pages::audit_log))
        .route("/{organization}/people/teams/{team}/", get(pages::team).post(pages::change_team))
        .route("/{organization}/people/{person}/", get(pages::member).post(pages::change_member))
        .route("/first-run/", get(pages::first_run).post(pages::submit_first_run))
        .route("/invitations/{secret}/", get(pages::invitation).post(pages::accept_invitation))
        .route("/unsubscribe/{secret}/", get(pages::unsubscribe).post(pages::stop_mails))
        .route("/me/", get(pages::me).post(pages::change_me))
        .route("/sign-in", get(pages::sign_in).post(pages::submit_sign_in))
        .route("/sign-out", post(pages::sign_out))
        .route(STYLE_PATH, get(style))
        .fallback(problem::no_route)
        .layer(from_fn_with_state(time_limit, limit_time))
        // Each request to the provider has a limit of its own.
        .route(path::START_BY_PROVIDER, get(pages::start_by_provider))
        .route(path::BACK_FROM_PROVIDER, get(pages::back_from_provider))
        .layer(map_response(problem::format_rejection))
        .layer(map_response(add_security_headers))
        .layer(from_fn(link_below_base))
        .with_state(dashboard)
}

/// Returns the style. Browsers may keep it for ever, since its path changes with the version.
async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, STYLE).into_response()
}

/// Makes the links of a page start with the path below which its reader sees this server.
async fn link_below_base(request: Request, next: Next) -> Response {
    let base = request.extensions().get::<Arc<Site>>().map(|site| Arc::clone(&site.base));
    let query = request.uri().query().map(str::to_owned);
    let answer = path::keeping_range(query.as_deref(), next.run(request));
    path::within(base.unwrap_or_default(), answer).await
}

/// Ends a page that takes too long. The store interrupts its query.
async fn limit_time(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::Slow.into_response(),
    }
}

/// Adds the headers that limit what browsers do with a page: load, embed, store.
async fn add_security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

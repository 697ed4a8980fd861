//! The pages, rendered here: no build step, no script, and all that they say escaped.

mod access;
mod chart;
mod format;
mod layout;
mod pages;
mod path;
mod problem;

use axum::Router;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};

use crate::query::Query;

/// What the pages share.
#[derive(Clone, Debug)]
pub struct Dashboard {
    /// Answers the pages' questions.
    pub query: Query,
    /// Whether whoever sits at the server's own machine sees all organizations without signing in.
    pub open_to_loopback: bool,
}

const STYLE: &str = include_str!("style.css");

/// The style's name changes with the version, so that browsers may keep it for ever.
const STYLE_PATH: &str = concat!("/assets/", env!("CARGO_PKG_VERSION"), "/opbeat.css");

/// Nothing but this server's own style and pictures is loaded, and no script runs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Makes the routes of all pages.
pub fn router(dashboard: Dashboard) -> Router {
    Router::new()
        .route("/", get(pages::apps))
        .route("/{organization}/{app}/", get(pages::transactions))
        .route("/{organization}/{app}", get(pages::transactions))
        .route("/{organization}/{app}/transactions/{transaction}", get(pages::transaction))
        .route("/{organization}/{app}/transactions/{transaction}/samples/{sample}", get(pages::sample))
        .route("/{organization}/{app}/errors/", get(pages::errors))
        .route("/{organization}/{app}/errors/{number}/", get(pages::error))
        .route("/sign-in", get(pages::sign_in).post(pages::submit_sign_in))
        .route("/sign-out", post(pages::sign_out))
        .route(STYLE_PATH, get(style))
        .fallback(pages::not_found)
        .layer(axum::middleware::map_response(problem::in_form))
        .layer(axum::middleware::map_response(protect))
        .with_state(dashboard)
}

async fn style() -> Response {
    let headers = [(CONTENT_TYPE, "text/css; charset=utf-8"), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, STYLE).into_response()
}

/// Adds what keeps browsers from doing more with a page than showing it.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert("content-security-policy", HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

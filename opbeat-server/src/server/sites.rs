//! The place of this server in the addresses that clients use.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use axum::http::header::LOCATION;
use axum::middleware::Next;
use axum::response::Response;

use crate::site::{Connection, Site, Sites, without_base};

/// Finds the site of a request for the pages and programs, and removes the base path from the request's target.
pub(super) async fn identify(State(sites): State<Arc<Sites>>, mut request: Request, next: Next) -> Response {
    let connection = request.extensions().get::<Connection>().copied();
    let connection = connection.expect("the listener names the connection of each request");
    let site = sites.identify(connection, request.uri(), request.headers());
    if let Some(uri) = without_base(&site.base, request.uri()) {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(Arc::new(site));
    next.run(request).await
}

/// Makes a URL of the path that an answer to a program names, on the host that the program used.
pub(super) async fn complete_location(request: Request, next: Next) -> Response {
    let site = request.extensions().get::<Arc<Site>>().cloned();
    let mut response = next.run(request).await;
    let path =
        response.headers().get(LOCATION).and_then(|path| path.to_str().ok()).filter(|path| path.starts_with('/'));
    let url = site.zip(path).and_then(|(site, path)| HeaderValue::try_from(site.url(path)).ok());
    if let Some(url) = url {
        response.headers_mut().insert(LOCATION, url);
    }
    response
}

//! The rules for all addresses of programs: slashes, `OPTIONS`, and addresses that no endpoint has.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::any;

use crate::framework_rejection;
use crate::intake::{Rejection, retry_after};
use crate::text::start_of;

/// The folders that belong to programs. They contain no page, so that no program gets one.
const FOLDERS: [&str; 2] = ["/api", "/v1"];

/// The largest part of an address that an error message repeats, in characters.
const MAX_SHOWN: usize = 200;

/// Returns routes that answer for the addresses in the folders of programs that no endpoint has.
pub(super) fn unknown() -> Router {
    let paths = FOLDERS.iter().flat_map(|folder| ["", "/", "/{*rest}"].map(|rest| format!("{folder}{rest}")));
    paths.fold(Router::new(), |router, path| router.route(&path, any(not_found)))
}

/// Answers that there is nothing at an address.
pub(super) async fn not_found(uri: Uri) -> Rejection {
    let message = format!(
        "There is nothing at {}. Agents post below /api/v1/organizations/; /api/v2/openapi.json describes the API.",
        start_of(uri.path(), MAX_SHOWN)
    );
    Rejection::new(StatusCode::NOT_FOUND, message)
}

/// Makes one slash of several in the path of an endpoint. Agents join a server's URL and a path, each with a slash.
pub(super) async fn join_slashes(mut request: Request) -> Request {
    if let Some(target) = joined(request.uri()) {
        let mut parts = request.uri().clone().into_parts();
        parts.path_and_query = Some(target);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

fn joined(uri: &Uri) -> Option<PathAndQuery> {
    if !uri.path().contains("//") {
        return None;
    }
    let mut path = String::with_capacity(uri.path().len());
    for character in uri.path().chars() {
        if character != '/' || !path.ends_with('/') {
            path.push(character);
        }
    }
    let is_below =
        |folder: &str| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !FOLDERS.into_iter().chain(["/healthz", "/readyz", "/metrics"]).any(is_below) {
        return None;
    }
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path,
    };
    target.try_into().ok()
}

/// Answers `OPTIONS` with the methods of the address, unless its route has answered itself.
pub(super) async fn answer_options(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let response = next.run(request).await;
    let allow = response.headers().get(ALLOW).and_then(|methods| methods.to_str().ok());
    match allow {
        Some(allow) if is_options && response.status() == StatusCode::METHOD_NOT_ALLOWED => {
            let allow = format!("{allow},OPTIONS");
            (StatusCode::NO_CONTENT, [(ALLOW, allow)]).into_response()
        }
        _ => response,
    }
}

/// Adds the header `Retry-After` to each response with 429 or 503 that has none, such as those of pages.
pub(super) async fn add_retry_after(mut response: Response) -> Response {
    if let Some(seconds) = retry_after(response.status()) {
        response.headers_mut().entry(RETRY_AFTER).or_insert_with(|| HeaderValue::from(seconds));
    }
    response
}

/// Gives the plain-text rejections of axum the JSON form of all others.
pub(super) async fn format_rejection(response: Response) -> Response {
    match framework_rejection::reason(response).await {
        Ok(reason) => reason.respond(|status, text| Rejection::new(status, text).into_response()),
        Err(response) => response,
    }
}

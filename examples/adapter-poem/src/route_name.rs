//! Names of requests: the method and the pattern of the route.

use opbeat_core::http::{HttpTransaction, route};
use opbeat_core::record::TransactionName;
use poem::error::NotFoundError;
use poem::http::Method;
use poem::{PathPattern, Request, Response, Result};

/// Names a request before its handler runs, if the middleware is inside the router.
///
/// Such a middleware is usually the second one, and the first one's transaction is recording.
pub(crate) fn set_early(transaction: &HttpTransaction, request: &Request) {
    if let Some(pattern) = request.data::<PathPattern>() {
        let recording = if transaction.is_recording() { transaction.current() } else { opbeat_core::current() };
        recording.set_route_name(name(request.method(), pattern));
    }
}

/// Names a request after the route in its response or error.
pub(crate) fn set(transaction: &mut HttpTransaction, method: &Method, answer: &Result<Response>) {
    let pattern = match answer {
        Ok(response) => response.data::<PathPattern>(),
        // A nested router without a matching route also sets a pattern: its own prefix.
        Err(error) if error.is::<NotFoundError>() => None,
        Err(error) => error.data::<PathPattern>(),
    };
    if let Some(pattern) = pattern {
        transaction.set_route_name(name(method, pattern));
    }
}

fn name(method: &Method, pattern: &PathPattern) -> TransactionName {
    let parts: Vec<String> = pattern.0.split('/').map(part).collect();
    route(method.as_str(), &parts.join("/"))
}

/// Returns a part of a pattern in the notation of all adapters.
///
/// `:id` and `:id<\d+>` become `{id}`, and `*path` becomes `*`.
fn part(part: &str) -> String {
    match part.split_at_checked(1) {
        Some((":", parameter)) => format!("{{{}}}", parameter.split('<').next().unwrap_or(parameter)),
        Some(("*", _)) => "*".to_owned(),
        _ => part.to_owned(),
    }
}

//! Names of requests after their resources.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::ResourceMap;
use opbeat_core::http::route;
use opbeat_core::record::TransactionName;

/// Returns the name of the resource that responded to a request.
///
/// Actix remembers the path through its resources, so the name needs no new match. This resource may differ from the
/// expected one: a middleware may have normalized the path, and guards choose between resources that match the same
/// path.
pub(crate) fn matched(request: &HttpRequest) -> Option<TransactionName> {
    request.match_pattern().map(|pattern| name_of(request.method().as_str(), &pattern))
}

/// Returns the name of the resource that will most likely respond to a request target. The path of the target is
/// matched against all resources.
pub(crate) fn expected(resources: &ResourceMap, method: &str, target: &str) -> Option<TransactionName> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    resources.match_pattern(path).map(|pattern| name_of(method, &pattern))
}

fn name_of(method: &str, pattern: &str) -> TransactionName {
    route(method, &without_expressions(pattern))
}

/// Removes the regular expressions of parameters: `{id:\d+}` becomes `{id}`.
fn without_expressions(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(':') {
        return Cow::Borrowed(pattern);
    }
    let (mut depth, mut is_expression) = (0_u32, false);
    let is_kept = |character: &char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_expression = (is_expression || *character == ':') && depth > 0;
        !is_expression
    };
    Cow::Owned(pattern.chars().filter(is_kept).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_lose_their_regular_expressions() {
        for (pattern, template) in [
            ("/books/{id}", "/books/{id}"),
            (r"/num/{id:\d+}", "/num/{id}"),
            ("/v{version:[[:digit:]]{1}}/{tail:.*}", "/v{version}/{tail}"),
            ("/time:{hour}", "/time:{hour}"),
            ("/open/{id:", "/open/{id"),
        ] {
            assert_eq!(without_expressions(pattern), template);
        }
    }
}

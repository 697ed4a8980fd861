//! Which resource a request takes.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::ResourceMap;
use opbeat_core::http::route;
use opbeat_core::record::TransactionName;

/// Returns the name of the resource that answered a request.
///
/// Actix remembers the way through its resources, so that nothing is matched again. And it may be another one than the path
/// told before: a middleware may have normalized it, and guards tell resources apart that match the same one.
pub(crate) fn taken(request: &HttpRequest) -> Option<TransactionName> {
    request.match_pattern().map(|pattern| name_of(request.method().as_str(), &pattern))
}

/// Returns the name of the resource that a target will most likely take. Its path is matched against all of them.
pub(crate) fn expected(resources: &ResourceMap, method: &str, target: &str) -> Option<TransactionName> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    resources.match_pattern(path).map(|pattern| name_of(method, &pattern))
}

fn name_of(method: &str, pattern: &str) -> TransactionName {
    route(method, &without_expressions(pattern))
}

/// Leaves out what parameters have to look like: `{id:\d+}` is `{id}`.
fn without_expressions(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains(':') {
        return Cow::Borrowed(pattern);
    }
    let (mut depth, mut is_expression) = (0_u32, false);
    let is_told = |character: &char| {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        is_expression = (is_expression || *character == ':') && depth > 0;
        !is_expression
    };
    Cow::Owned(pattern.chars().filter(is_told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_named_without_their_expressions() {
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

//! Names of requests after their resources.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::dev::ResourceMap;
use opbeat_core::http::route;
use opbeat_core::record::TransactionName;

use super::pattern::{ends_in_expression, is_made_of, prefix_template, surrounds, template, template_of_path};

/// Returns the name of the resource that responded to a request.
///
/// Actix remembers the path through its resources, so the name needs no new match. This resource may differ from the
/// expected one: a middleware may have normalized the path, and guards choose between resources that match the same
/// path.
pub(crate) fn matched(request: &HttpRequest) -> Option<TransactionName> {
    let pattern = request.match_pattern()?;
    Some(route(request.method().as_str(), &matched_template(request, &pattern)))
}

/// Returns the template of the pattern that matched a request.
///
/// Actix knows the resource, and returns its first pattern even if another one matched. The matched part of the path
/// shows which one it was.
#[inline]
fn matched_template<'a>(request: &HttpRequest, pattern: &'a str) -> Cow<'a, str> {
    let info = request.match_info();
    let (path, below) = (info.as_str(), info.unprocessed());
    // Nearly all paths have at most one value, and are compared faster.
    if below.is_empty() && info.segment_count() <= 1 && surrounds(path, pattern, info.segment_count()) {
        return Cow::Borrowed(pattern);
    }
    let matched = path.strip_suffix(below).unwrap_or(path);
    let is_first = is_made_of(matched, pattern, info.iter());
    match (is_first, below) {
        // Only services at a prefix, such as static files, leave a part of the path unmatched.
        (true, "") if !pattern.is_empty() => template(pattern),
        (true, _) => Cow::Owned(prefix_template(pattern)),
        (false, "") => template_of_path(matched, info.iter(), pattern).map_or_else(|| template(pattern), Cow::Owned),
        // The resource matches the path, but one of its guards did not accept the request.
        (false, _) => expected_template(request.resource_map(), path, pattern),
    }
}

/// Returns the name of the resource that will most likely respond to a request target. The path of the target is
/// matched against all resources.
pub(crate) fn expected(resources: &ResourceMap, method: &str, target: &str) -> Option<TransactionName> {
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let pattern = resources.match_pattern(path)?;
    Some(route(method, &expected_template(resources, path, &pattern)))
}

fn expected_template<'a>(resources: &ResourceMap, path: &str, pattern: &'a str) -> Cow<'a, str> {
    if is_prefix(resources, path, pattern) { Cow::Owned(prefix_template(pattern)) } else { template(pattern) }
}

/// Returns whether a path is below a pattern that matches it. If so, the pattern also matches longer paths.
fn is_prefix(resources: &ResourceMap, path: &str, pattern: &str) -> bool {
    let segments = |path: &str| path.bytes().filter(|byte| *byte == b'/').count();
    let matches_longer = || resources.match_pattern(&format!("{path}/x")).is_some_and(|longer| longer == pattern);
    pattern.is_empty() || (segments(path) > segments(pattern) && !ends_in_expression(pattern) && matches_longer())
}

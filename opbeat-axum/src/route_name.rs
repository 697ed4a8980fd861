//! The names of requests, after the routes of axum.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath, OriginalUri};
use axum::http::Uri;
use opbeat_core::http::route;
use opbeat_core::record::TransactionName;
use opbeat_tower::{RequestHead, RouteName};

use crate::placement::RouteCheck;

/// Names requests after the path that axum's router matched.
#[derive(Clone, Debug, Default)]
pub struct MatchedPathName {
    nested: Option<Arc<[Nested]>>,
    route_check: Arc<RouteCheck>,
}

/// A service that is nested at a prefix.
#[derive(Clone, Debug)]
struct Nested {
    prefix: String,
    template: String,
}

impl MatchedPathName {
    /// Names the requests of a service that is nested at a prefix: `GET /files/*`.
    #[must_use]
    pub fn nested_service(self, prefix: &str) -> Self {
        let prefix = prefix.trim_end_matches('/').to_owned();
        let template = format!("{prefix}/*");
        let known = self.nested.iter().flat_map(|nested| nested.iter().cloned());
        let nested = Some(known.chain([Nested { prefix, template }]).collect());
        Self { nested, route_check: self.route_check }
    }

    pub(crate) fn route_check(&self) -> &RouteCheck {
        &self.route_check
    }
}

impl Nested {
    fn matches(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl RouteName for MatchedPathName {
    #[inline]
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        if let Some(path) = head.extensions.get::<MatchedPath>() {
            self.route_check.record_route();
            return Some(route(head.method.as_str(), &template(path.as_str())));
        }
        let nested = self.nested.iter().flat_map(|nested| nested.iter());
        let Some(found) = { nested }.find(|nested| nested.matches(head.uri.path())) else {
            self.route_check.record_unmatched();
            return None;
        };
        self.route_check.record_route();
        Some(route(head.method.as_str(), &found.template))
    }

    /// Returns the complete target. Nested routers shorten the request's own.
    fn target<'a>(&self, head: &RequestHead<'a>) -> &'a Uri {
        head.extensions.get::<OriginalUri>().map_or(head.uri, |OriginalUri(original)| original)
    }

    #[inline]
    fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        head.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
    }
}

/// Returns the template of a matched path: the rest of a path, `{*rest}`, becomes `*` as in all adapters.
#[inline]
fn template(path: &str) -> Cow<'_, str> {
    // The router allows it at the end only. A path without it needs no search, and `{{` is a literal brace.
    let Some(inside) = path.strip_suffix('}') else { return Cow::Borrowed(path) };
    // Names of parameters are short, so a plain loop from the end is the fastest search.
    match inside.bytes().rposition(|byte| byte == b'{').map(|open| inside.split_at(open)) {
        Some((before, name)) if name.starts_with("{*") && !name.ends_with('}') => Cow::Owned(format!("{before}*")),
        _ => Cow::Borrowed(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_path_is_an_asterisk() {
        for (path, expected) in [
            ("/files/{*rest}", "/files/*"),
            ("/{*rest}", "/*"),
            ("/books/{id}", "/books/{id}"),
            ("/books", "/books"),
            ("/{{*rest}}", "/{{*rest}}"),
        ] {
            assert_eq!(template(path), expected);
        }
    }
}

//! The names of requests, after the routes of axum.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, MatchedPath};
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
            return Some(route(head.method.as_str(), path.as_str()));
        }
        let nested = self.nested.iter().flat_map(|nested| nested.iter());
        let Some(found) = { nested }.find(|nested| nested.matches(head.uri.path())) else {
            self.route_check.record_unmatched();
            return None;
        };
        self.route_check.record_route();
        Some(route(head.method.as_str(), &found.template))
    }

    #[inline]
    fn client(&self, head: &RequestHead<'_>) -> Option<IpAddr> {
        head.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip())
    }
}

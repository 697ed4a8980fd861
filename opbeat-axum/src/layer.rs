//! The layer, which knows axum's routes.

use axum::extract::MatchedPath;
use opbeat_core::http::route;
use opbeat_core::{Agent, TransactionName};
use opbeat_tower::{HttpClassifier, OpbeatService, RequestHead, RouteName};
use tower_layer::Layer;

/// Records every request of a router as a transaction, named after its route: `GET /books/{id}`.
///
/// Requests that no route matches are counted together, as `GET unmatched`.
#[derive(Clone, Debug)]
pub struct OpbeatLayer {
    inner: opbeat_tower::OpbeatLayer<HttpClassifier, MatchedPathName>,
}

impl OpbeatLayer {
    /// Makes a layer that records through an agent.
    pub fn new(agent: &Agent) -> Self {
        Self { inner: opbeat_tower::OpbeatLayer::new(agent).kind("web.axum").route_name(MatchedPathName) }
    }
}

impl<S> Layer<S> for OpbeatLayer {
    type Service = OpbeatService<S, HttpClassifier, MatchedPathName>;

    fn layer(&self, inner: S) -> Self::Service {
        self.inner.layer(inner)
    }
}

/// Names requests after the path that axum's router matched.
#[derive(Clone, Copy, Debug, Default)]
pub struct MatchedPathName;

impl RouteName for MatchedPathName {
    fn route_name(&self, head: &RequestHead<'_>) -> Option<TransactionName> {
        let path = head.extensions.get::<MatchedPath>()?;
        Some(route(head.method.as_str(), path.as_str().to_owned()))
    }
}

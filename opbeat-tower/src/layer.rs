//! What is added to a stack of layers.

use opbeat_core::Agent;
use tower_http::classify::{GrpcErrorsAsFailures, MakeClassifier, ServerErrorsAsFailures, SharedClassifier};
use tower_layer::Layer;

use crate::route_name::{NoRouteName, RouteName};
use crate::service::OpbeatService;
use crate::settings::Settings;

/// Tells failed responses of HTTP by their status: 5xx.
pub type HttpClassifier = SharedClassifier<ServerErrorsAsFailures>;

/// Records every request of the service beneath as a transaction.
///
/// `M` tells failed responses from others, as in [`tower_http::trace`]; `N` names requests after their routes.
#[derive(Clone, Debug)]
pub struct OpbeatLayer<M = HttpClassifier, N = NoRouteName> {
    settings: Settings<M, N>,
}

impl OpbeatLayer {
    /// Makes a layer for an HTTP service.
    pub fn new(agent: &Agent) -> Self {
        Self::with_classifier(agent, "web.tower", ServerErrorsAsFailures::make_classifier())
    }
}

impl OpbeatLayer<SharedClassifier<GrpcErrorsAsFailures>> {
    /// Makes a layer for a gRPC service, whose responses fail by their `grpc-status`.
    pub fn new_for_grpc(agent: &Agent) -> Self {
        Self::with_classifier(agent, "web.grpc", SharedClassifier::new(GrpcErrorsAsFailures::new()))
    }
}

impl<M> OpbeatLayer<M> {
    /// Makes a layer that tells failed responses by a classifier of your own.
    pub fn with_classifier(agent: &Agent, kind: &'static str, make_classifier: M) -> Self {
        let agent = agent.clone();
        Self { settings: Settings { agent, kind, make_classifier, route_name: NoRouteName } }
    }
}

impl<M, N> OpbeatLayer<M, N> {
    /// Sets the transactions' dotted kind, such as `web.hyper`.
    #[must_use]
    pub fn kind(mut self, kind: &'static str) -> Self {
        self.settings.kind = kind;
        self
    }

    /// Names requests after their routes.
    pub fn route_name<R: RouteName>(self, route_name: R) -> OpbeatLayer<M, R> {
        let Settings { agent, kind, make_classifier, .. } = self.settings;
        OpbeatLayer { settings: Settings { agent, kind, make_classifier, route_name } }
    }
}

impl<S, M: MakeClassifier + Clone, N: RouteName> Layer<S> for OpbeatLayer<M, N> {
    type Service = OpbeatService<S, M, N>;

    fn layer(&self, inner: S) -> Self::Service {
        OpbeatService { inner, settings: self.settings.clone() }
    }
}

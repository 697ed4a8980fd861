//! What the layer hands to each service, and how each request begins.

use http::Request;
use opbeat_core::Agent;
use opbeat_core::http::HttpTransaction;

use crate::request;
use crate::route_name::{RequestHead, RouteName};

/// What the layer hands to each service.
#[derive(Clone, Debug)]
pub(crate) struct Settings<M, N> {
    pub(crate) agent: Agent,
    pub(crate) kind: &'static str,
    pub(crate) make_classifier: M,
    pub(crate) route_name: N,
}

impl<M, N: RouteName> Settings<M, N> {
    pub(crate) fn begin<B>(&self, request: &Request<B>) -> HttpTransaction {
        let method = request.method().as_str();
        let transaction = HttpTransaction::begin(&self.agent, self.kind, method, || request::record(request));
        if transaction.is_recording()
            && let Some(name) = self.route_name.route_name(&RequestHead::of(request))
        {
            transaction.set_route_name(name);
        }
        transaction
    }
}

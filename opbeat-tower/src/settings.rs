//! What the layer hands to each service, and how each request begins.

use std::time::Duration;

use http::Request;
use opbeat_core::Agent;
use opbeat_core::http::HttpTransaction;

use crate::failure::Places;
use crate::grpc::{self, Call};
use crate::request;
use crate::route_name::{RequestHead, RouteName};

/// What the layer hands to each service.
#[derive(Clone, Debug)]
pub(crate) struct Settings<M, N> {
    pub(crate) agent: Agent,
    pub(crate) kind: &'static str,
    pub(crate) make_classifier: M,
    pub(crate) route_name: N,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) answering: Answering,
}

/// What is done with an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answering {
    /// Set for gRPC, where the status of a call is in the trailers, or in the head if there is no message.
    pub(crate) grpc: Option<Box<Call>>,
    pub(crate) catches_panics: bool,
    pub(crate) tells_error_id: bool,
    pub(crate) places: Places,
}

impl<M, N: RouteName> Settings<M, N> {
    #[inline]
    pub(crate) fn begin<B>(&self, request: &Request<B>) -> HttpTransaction {
        let head = RequestHead::of(request);
        let method = request.method().as_str();
        let mut transaction = HttpTransaction::begin(&self.agent, self.kind, method, |record| {
            request::describe(request, self.route_name.client(&head), record);
        });
        transaction.set_route_name_with(|| self.route_name.route_name(&head));
        if self.answering.grpc.is_some() {
            grpc::begin(&mut transaction, request.headers(), self.time_limit);
        } else if let Some(limit) = self.time_limit {
            transaction.set_time_limit(limit);
        }
        transaction
    }

    /// Returns what is done with the answer to a request.
    #[inline]
    pub(crate) fn answering<B>(&self, request: &Request<B>) -> Answering {
        let Answering { ref grpc, catches_panics, tells_error_id, ref places } = self.answering;
        let grpc = grpc.as_ref().map(|call| Box::new(call.to(request.uri().path())));
        Answering { grpc, catches_panics, tells_error_id, places: places.clone() }
    }
}

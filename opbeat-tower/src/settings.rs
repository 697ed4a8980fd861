//! The settings of the layer, and the start of each request.

use std::time::Duration;

use http::{HeaderMap, Request};
use opbeat_core::Agent;
use opbeat_core::http::HttpTransaction;
use opbeat_core::record::RequestRecord;

use crate::failure::ErrorTypes;
use crate::grpc::{self, GrpcCall, GrpcCalls};
use crate::nesting::{self, CountedLayer, RecordedBy};
use crate::request::{self, RequestHead};
use crate::route_name::RouteName;

/// The settings of the layer, which its services share.
#[derive(Clone, Debug)]
pub(crate) struct Settings<M, N> {
    pub(crate) agent: Agent,
    pub(crate) layer: CountedLayer,
    pub(crate) kind: &'static str,
    pub(crate) make_classifier: M,
    pub(crate) route_name: N,
    pub(crate) grpc: GrpcCalls,
    pub(crate) time_limit: Option<Duration>,
    pub(crate) response: ResponseSettings,
}

/// The settings that a response needs. Each request has a copy.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseSettings {
    /// The call, if the request is one of gRPC. Its status is in the trailers, or in the response head if there is no
    /// message.
    pub(crate) grpc: Option<Box<GrpcCall>>,
    pub(crate) catches_panics: bool,
    pub(crate) sends_error_id: bool,
    pub(crate) error_types: ErrorTypes,
}

impl ResponseSettings {
    /// Forgets the call if the response is not one of gRPC. Its status is then that of HTTP, and its length is known.
    #[inline]
    pub(crate) fn retain_call(&mut self, headers: &HeaderMap) {
        self.grpc = self.grpc.take().filter(|call| call.is_answered_by(headers));
    }
}

impl<M, N: RouteName> Settings<M, N> {
    #[inline]
    pub(crate) fn begin<B>(&self, request: &mut Request<B>) -> HttpTransaction {
        let transaction = self.begin_and_name(request);
        if nesting::may_be_nested() && transaction.is_recording() {
            request.extensions_mut().insert(RecordedBy(transaction.current()));
        }
        transaction
    }

    #[inline]
    fn begin_and_name<B>(&self, request: &Request<B>) -> HttpTransaction {
        let head = RequestHead::of(request);
        let method = request.method().as_str();
        let describe = |record: &mut RequestRecord| {
            request::describe(&head, self.route_name.target(&head), self.route_name.client(&head), record);
        };
        let outer = if nesting::may_be_nested() { head.extensions.get() } else { None };
        let mut transaction = match outer {
            Some(RecordedBy(outer)) => HttpTransaction::begin_within(outer, &self.agent, self.kind, method, describe),
            None => HttpTransaction::begin(&self.agent, self.kind, method, describe),
        };
        let is_call = self.grpc.contain(request);
        transaction.set_route_name_with(|| {
            let name = || self.route_name.route_name(&head);
            if is_call { self.grpc.name(head.uri.path(), name) } else { name() }
        });
        if is_call {
            grpc::configure(&mut transaction, head.headers, self.time_limit);
        } else if let Some(limit) = self.time_limit {
            transaction.set_time_limit(limit);
        }
        transaction
    }

    /// Returns the settings for the response to a request.
    #[inline]
    pub(crate) fn response<B>(&self, request: &Request<B>) -> ResponseSettings {
        let ResponseSettings { catches_panics, sends_error_id, ref error_types, .. } = self.response;
        let grpc = self.grpc.call(request).map(Box::new);
        ResponseSettings { grpc, catches_panics, sends_error_id, error_types: error_types.clone() }
    }
}

//! The requests that are gRPC calls.

use http::{Method, Request, Version};
use opbeat_core::record::TransactionName;

use super::content_type::is_grpc;
use super::method::{GrpcCall, GrpcMethodName};

/// The requests of a layer that are gRPC calls.
#[derive(Clone, Debug, Default)]
pub(crate) enum GrpcCalls {
    #[default]
    None,
    /// All requests. The value is `None` if the application names its calls with its own `RouteName`.
    All(Option<GrpcMethodName>),
    /// The requests with the content type of gRPC, in a service that also has other requests.
    ByContentType(GrpcMethodName),
}

impl GrpcCalls {
    #[inline]
    pub(crate) fn contain<B>(&self, request: &Request<B>) -> bool {
        match self {
            Self::None => false,
            Self::All(_) => true,
            // Most requests have another method or version, so that their headers need no search.
            Self::ByContentType(_) => {
                request.method() == Method::POST && request.version() >= Version::HTTP_2 && is_grpc(request.headers())
            }
        }
    }

    /// Returns the name of a call, before its response confirms its method.
    pub(crate) fn name(&self, path: &str, route: impl FnOnce() -> Option<TransactionName>) -> Option<TransactionName> {
        match self {
            Self::ByContentType(methods) => methods.name_beside_routes(path, route),
            Self::All(_) | Self::None => route(),
        }
    }

    /// Returns the call that a request is, if it is one.
    #[inline]
    pub(crate) fn call<B>(&self, request: &Request<B>) -> Option<GrpcCall> {
        if !self.contain(request) {
            return None;
        }
        let path = request.uri().path();
        match self {
            Self::None => None,
            Self::All(methods) => Some(GrpcCall::new(methods.as_ref(), path)),
            Self::ByContentType(methods) => Some(GrpcCall::new(Some(methods), path).detected()),
        }
    }
}

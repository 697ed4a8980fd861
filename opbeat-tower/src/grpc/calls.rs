//! The requests that are gRPC calls.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Request, Version};
use opbeat_core::record::TransactionName;

use super::{GrpcCall, GrpcMethodName};

/// The content type of calls, to which clients may add a codec: `application/grpc+proto`.
const GRPC: &[u8] = b"application/grpc";

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
                request.method() == Method::POST
                    && request.version() >= Version::HTTP_2
                    && has_grpc_content(request.headers())
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

/// Returns whether the content type is that of gRPC. That of gRPC-Web, `application/grpc-web`, is another protocol.
pub(super) fn has_grpc_content(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], |content_type| content_type.as_bytes());
    content_type.strip_prefix(GRPC).is_some_and(|rest| matches!(rest.first(), None | Some(b'+' | b';')))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn calls_have_the_content_type_of_grpc() {
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc; charset=utf-8", true),
            ("application/grpc-web", false),
            ("application/grpc-web+proto", false),
            ("application/json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(content_type))]);
            assert_eq!(has_grpc_content(&headers), expected, "{content_type}");
        }
    }
}

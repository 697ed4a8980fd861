//! The head of a request, apart from the type of its body.

use http::{HeaderMap, HeaderValue, Request, Uri, header};
use opbeat_core::http::static_method;

use crate::outgoing::{Call, Destination};

/// The parts of a request that describe a call.
pub(super) struct RequestHead<'a> {
    pub(super) method: &'static str,
    pub(super) uri: &'a Uri,
    pub(super) headers: &'a HeaderMap,
    #[cfg(feature = "tonic")]
    extensions: &'a http::Extensions,
}

impl<'a> RequestHead<'a> {
    pub(super) fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: static_method(request.method().as_str()),
            uri: request.uri(),
            headers: request.headers(),
            #[cfg(feature = "tonic")]
            extensions: request.extensions(),
        }
    }

    /// Returns the name of the called method, if a client that tonic generated has put it into the extensions. The path
    /// may have a prefix that the application chose.
    pub(super) fn grpc_method(&self) -> Option<String> {
        #[cfg(feature = "tonic")]
        if let Some(method) = self.extensions.get::<tonic::GrpcMethod<'_>>() {
            return Some(format!("{}/{}", method.service(), method.method()));
        }
        None
    }

    /// Returns the server that the request goes to. The URI of a request to a connection has only a path, and then the
    /// server is in the header `host`.
    pub(super) fn destination(&self) -> Destination<'a> {
        let (host, port) = match self.uri.authority() {
            Some(authority) => (Some(authority.host()), authority.port_u16()),
            None => self.headers.get(header::HOST).map_or((None, None), host_and_port),
        };
        Destination { scheme: self.uri.scheme_str(), host, port, path: self.uri.path() }
    }
}

fn host_and_port(value: &HeaderValue) -> (Option<&str>, Option<u16>) {
    let Ok(value) = value.to_str() else { return (None, None) };
    let with_port = value.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
    with_port.map_or((Some(value), None), |(host, port)| (Some(host), Some(port)))
}

/// Adds the headers that continue the trace, unless the application has set `traceparent` itself. Its other headers
/// stay too.
pub(crate) fn add_headers(call: &Call, headers: &mut HeaderMap) {
    if headers.contains_key("traceparent") {
        return;
    }
    call.headers(|name, value| {
        if !headers.contains_key(name)
            && let Ok(value) = HeaderValue::try_from(value)
        {
            headers.insert(name, value);
        }
    });
}

//! The head of a request (method, target and headers), and its record.

use std::net::IpAddr;

use http::header::HOST;
use http::{Extensions, HeaderMap, Method, Request, Uri};
use opbeat_core::record::RequestRecord;

/// A request without its body.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RequestHead<'a> {
    /// The method.
    pub method: &'a Method,
    /// The target.
    pub uri: &'a Uri,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The extensions, which earlier layers and the router set.
    pub extensions: &'a Extensions,
}

impl<'a> RequestHead<'a> {
    /// Borrows the head of a request.
    pub fn of<B>(request: &'a Request<B>) -> Self {
        Self {
            method: request.method(),
            uri: request.uri(),
            headers: request.headers(),
            extensions: request.extensions(),
        }
    }
}

/// Records the head of a request.
#[inline]
pub(crate) fn describe<B>(request: &Request<B>, client: Option<IpAddr>, record: &mut RequestRecord) {
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    record.set_line(request.method().as_str(), target);
    record.set_client(client);
    for (name, value) in request.headers() {
        record.push_header(name.as_str(), value.as_bytes());
    }
    // HTTP/2 clients send the host as part of the target, and need no `host` header.
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(HOST)
    {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        record.push_header(HOST.as_str(), host.as_bytes());
    }
}

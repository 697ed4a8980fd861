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

/// Records the head of a request, with the target that the client sent.
#[inline]
pub(crate) fn describe(head: &RequestHead<'_>, target: &Uri, client: Option<IpAddr>, record: &mut RequestRecord) {
    // A `CONNECT` without a path has only an authority.
    let line = target.path_and_query().map(|target| target.as_str()).or_else(|| host(target));
    record.set_line(head.method.as_str(), line.unwrap_or("*"));
    record.set_client(client);
    for (name, value) in head.headers {
        record.push_header(name.as_str(), value.as_bytes());
    }
    // HTTP/2 clients send the host as part of the target, and need no `host` header.
    if let Some(host) = host(target)
        && !head.headers.contains_key(HOST)
    {
        record.push_header(HOST.as_str(), host.as_bytes());
    }
}

/// Returns the host and the port of a target, without credentials.
fn host(target: &Uri) -> Option<&str> {
    target.authority()?.as_str().rsplit('@').next()
}

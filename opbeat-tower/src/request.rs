//! From a request to its record.

use std::net::IpAddr;

use http::Request;
use http::header::HOST;
use opbeat_core::record::RequestRecord;

/// Records a request's head.
#[inline]
pub(crate) fn describe<B>(request: &Request<B>, client: Option<IpAddr>, record: &mut RequestRecord) {
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    record.set_line(request.method().as_str(), target);
    record.set_client(client);
    for (name, value) in request.headers() {
        record.push_header(name.as_str(), value.as_bytes());
    }
    // HTTP/2 tells the host with the target.
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(HOST)
    {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        record.push_header(HOST.as_str(), host.as_bytes());
    }
}

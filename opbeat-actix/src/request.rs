//! From a request to its record.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HOST;
use opbeat_core::record::RequestRecord;

/// Records the request line, the client's address and the headers of a request.
pub(crate) fn describe(request: &ServiceRequest, record: &mut RequestRecord) {
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    record.set_line(request.method().as_str(), target);
    record.set_client(request.peer_addr().map(|address| address.ip()));
    for (name, value) in request.headers() {
        record.push_header(name.as_str(), value.as_bytes());
    }
    // In HTTP/2, the host is part of the target.
    if let Some(authority) = request.uri().authority()
        && !request.headers().contains_key(HOST)
    {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        record.push_header(HOST.as_str(), host.as_bytes());
    }
}

//! Records of requests.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::HOST;
use opbeat_core::record::RequestRecord;

/// Records a request's method, target, client and headers.
pub(crate) fn describe(request: &ServiceRequest, record: &mut RequestRecord) {
    // A `CONNECT` without a path has only an authority, whose credentials are not recorded.
    let target = request.uri().path_and_query().map(|target| target.as_str()).or_else(|| host(request));
    record.set_line(request.method().as_str(), target.unwrap_or("*"));
    record.set_client(request.peer_addr().map(|address| address.ip()));
    for (name, value) in request.headers() {
        record.push_header(name.as_str(), value.as_bytes());
    }
    // HTTP/2 sends the host as `:authority`, which actix puts into the URI, and not as a header.
    if let Some(host) = host(request)
        && !request.headers().contains_key(HOST)
    {
        record.push_header(HOST.as_str(), host.as_bytes());
    }
}

/// Returns the host and the port in a request's target, without credentials.
fn host(request: &ServiceRequest) -> Option<&str> {
    request.uri().authority()?.as_str().rsplit('@').next()
}

//! From a request to its record.

use http::Request;
use opbeat_core::RequestRecord;

/// Records a request's head, in one allocation.
pub(crate) fn record<B>(request: &Request<B>) -> RequestRecord {
    let headers = request.headers();
    let room = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        name.as_str().len() + value.len() + RequestRecord::HEADER_OVERHEAD
    };
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    let mut record = RequestRecord::new(request.method().as_str(), target, headers.iter().map(room).sum());
    for (name, value) in headers {
        record.push_header(name.as_str(), value.as_bytes());
    }
    record
}

//! From a request to its record.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use opbeat_core::RequestRecord;

/// Records a request's head, in one allocation.
pub(crate) fn record(request: &ServiceRequest) -> RequestRecord {
    let headers = request.headers();
    let room =
        |(name, value): (&HeaderName, &HeaderValue)| name.as_str().len() + value.len() + RequestRecord::HEADER_OVERHEAD;
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    let mut record = RequestRecord::new(request.method().as_str(), target, headers.iter().map(room).sum());
    for (name, value) in headers {
        record.push_header(name.as_str(), value.as_bytes());
    }
    record
}

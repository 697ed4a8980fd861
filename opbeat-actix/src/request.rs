//! From a request to its record.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::HOST;
use bytes::Bytes;
use futures_util::StreamExt;
use opbeat_core::CurrentTransaction;
use opbeat_core::record::RequestRecord;

/// Records a request's head.
pub(crate) fn describe(request: &ServiceRequest, record: &mut RequestRecord) {
    let target = request.uri().path_and_query().map_or("*", |target| target.as_str());
    record.set_line(request.method().as_str(), target);
    record.set_client(request.peer_addr().map(|address| address.ip()));
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

/// Keeps what is read of a request's body.
pub(crate) fn keep_body(request: &mut ServiceRequest, transaction: CurrentTransaction, limit: usize) {
    let inner = request.take_payload();
    if matches!(inner, Payload::None) {
        return;
    }
    let mut kept = Kept { transaction, limit, bytes: Vec::new() };
    let stream = inner.inspect(move |chunk: &Result<Bytes, PayloadError>| kept.note(chunk));
    request.set_payload(Payload::Stream { payload: Box::pin(stream) });
}

struct Kept {
    transaction: CurrentTransaction,
    limit: usize,
    bytes: Vec<u8>,
}

impl Kept {
    fn note(&mut self, chunk: &Result<Bytes, PayloadError>) {
        if let Ok(chunk) = chunk {
            let room = self.limit.saturating_sub(self.bytes.len()).min(chunk.len());
            self.bytes.extend_from_slice(&chunk[..room]);
        }
    }
}

/// Whoever reads the body drops it when it is read, or when reading failed.
impl Drop for Kept {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.transaction.set_request_body(&self.bytes);
        }
    }
}

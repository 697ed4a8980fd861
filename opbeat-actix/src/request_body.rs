//! Copies of request bodies, for error reports.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::StreamExt;
use opbeat_core::CurrentTransaction;

/// Keeps the first `limit` bytes that are read of a request's body.
pub(crate) fn keep(request: &mut ServiceRequest, transaction: CurrentTransaction, limit: usize) {
    let inner = request.take_payload();
    if matches!(inner, Payload::None) {
        return;
    }
    let mut start = BodyStart { transaction, limit, bytes: Vec::new() };
    let stream = inner.inspect(move |chunk: &Result<Bytes, PayloadError>| start.push(chunk));
    request.set_payload(Payload::Stream { payload: Box::pin(stream) });
}

/// The start of a request body, up to a limit in bytes.
struct BodyStart {
    transaction: CurrentTransaction,
    limit: usize,
    bytes: Vec<u8>,
}

impl BodyStart {
    fn push(&mut self, chunk: &Result<Bytes, PayloadError>) {
        if let Ok(chunk) = chunk {
            let room = self.limit.saturating_sub(self.bytes.len()).min(chunk.len());
            self.bytes.extend_from_slice(&chunk[..room]);
        }
    }
}

/// The reader of a body drops it at its end or after a failed read, so the drop hands the bytes to the transaction.
impl Drop for BodyStart {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.transaction.set_request_body(&self.bytes);
        }
    }
}

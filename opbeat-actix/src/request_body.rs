//! Keeps the first bytes of request bodies.

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use bytes::Bytes;
use futures_util::StreamExt;
use opbeat_core::CurrentTransaction;

/// Replaces a request's body with one that keeps its first `limit` bytes as they are read.
pub(crate) fn keep(request: &mut ServiceRequest, transaction: CurrentTransaction, limit: usize) {
    let inner = request.take_payload();
    if matches!(inner, Payload::None) {
        return;
    }
    let mut kept = KeptBody { transaction, limit, bytes: Vec::new() };
    let stream = inner.inspect(move |chunk: &Result<Bytes, PayloadError>| kept.keep(chunk));
    request.set_payload(Payload::Stream { payload: Box::pin(stream) });
}

/// The first bytes of a body.
struct KeptBody {
    transaction: CurrentTransaction,
    limit: usize,
    bytes: Vec<u8>,
}

impl KeptBody {
    fn keep(&mut self, chunk: &Result<Bytes, PayloadError>) {
        if let Ok(chunk) = chunk {
            let room = self.limit.saturating_sub(self.bytes.len()).min(chunk.len());
            self.bytes.extend_from_slice(&chunk[..room]);
        }
    }
}

/// Passes the bytes to the transaction. The handler drops the body after it was read, or after reading failed.
impl Drop for KeptBody {
    fn drop(&mut self) {
        if !self.bytes.is_empty() {
            self.transaction.set_request_body(&self.bytes);
        }
    }
}

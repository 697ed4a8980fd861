//! The distributed trace that a request belongs to, read from its headers.

use crate::record::{RequestRecord, TraceParent};

/// Returns the trace of a request. A request with more than one `traceparent` header is treated as if it had none.
pub(super) fn remote_trace(request: &RequestRecord) -> Option<TraceParent> {
    let mut headers = request.header_values("traceparent");
    let parent = TraceParent::parse(headers.next()?);
    parent.filter(|_| headers.next().is_none())
}

/// Returns the `tracestate` of a request that has a trace. Several headers are joined into one list.
pub(super) fn remote_trace_state(request: &RequestRecord) -> Option<String> {
    remote_trace(request)?;
    let parts: Vec<&str> = request.header_values("tracestate").map(str::trim).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

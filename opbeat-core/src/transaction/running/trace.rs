//! The distributed trace that a request belongs to, read from its headers.

use crate::record::RequestRecord;

/// Returns the `tracestate` of a request that has a trace. Several headers are joined into one list.
pub(super) fn remote_trace_state(request: &RequestRecord) -> Option<String> {
    request.trace_parent()?;
    let parts: Vec<&str> = request.header_values("tracestate").map(str::trim).filter(|part| !part.is_empty()).collect();
    (!parts.is_empty()).then(|| parts.join(","))
}

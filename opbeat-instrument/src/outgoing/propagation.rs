//! The headers that continue a trace in another service.

use opbeat_core::instrument::Position;

/// Passes the headers of a call at a position to a function: `traceparent`, and `tracestate` and
/// `baggage` if the caller's own request had them ([W3C Trace Context](https://www.w3.org/TR/trace-context/), [W3C
/// Baggage](https://www.w3.org/TR/baggage/)).
pub(super) fn headers(position: &Position, mut set: impl FnMut(&'static str, String)) {
    set("traceparent", position.trace_parent().to_string());
    let transaction = position.transaction();
    if let Some(trace_state) = transaction.trace_state() {
        set("tracestate", trace_state);
    }
    if let Some(baggage) = transaction.baggage() {
        set("baggage", baggage);
    }
}

//! The headers of messages: the trace that a message continues, and the time at which it was published.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lapin::BasicProperties;
use lapin::types::{AMQPValue, FieldTable};
use opbeat_core::Transaction;
use opbeat_core::record::TraceParent;

use crate::outgoing::Call;

/// Adds the headers that continue the trace, unless the application has set `traceparent` itself. Its other headers
/// stay too.
pub(super) fn add_trace(call: &Call, properties: BasicProperties) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    if headers.contains_key("traceparent") {
        return properties;
    }
    call.headers(|name, value| {
        if !headers.contains_key(name) {
            headers.insert(name.into(), AMQPValue::LongString(value.into()));
        }
    });
    properties.with_headers(headers)
}

/// Makes a transaction continue the trace of a message.
pub(super) fn continue_trace(transaction: &Transaction, properties: &BasicProperties) {
    let Some(headers) = properties.headers() else { return };
    let Some(parent) = text(headers, "traceparent").and_then(TraceParent::parse) else { return };
    transaction.set_trace_parent(parent);
    if let Some(trace_state) = text(headers, "tracestate") {
        transaction.set_trace_state(trace_state);
    }
    if let Some(baggage) = text(headers, "baggage") {
        transaction.set_baggage(baggage);
    }
}

/// Returns the time at which a message was published: the header `timestamp_in_ms`, which the broker's message
/// interceptor adds, or else the property `timestamp`, in whole seconds.
pub(super) fn published_at(properties: &BasicProperties) -> Option<SystemTime> {
    let milliseconds = properties.headers().as_ref().and_then(|headers| number(headers, "timestamp_in_ms"));
    let seconds = properties.timestamp().map(Duration::from_secs);
    UNIX_EPOCH.checked_add(milliseconds.map(Duration::from_millis).or(seconds)?)
}

/// Returns the number of this attempt, from 1. Only quorum queues count the deliveries of a message.
pub(super) fn attempt(properties: &BasicProperties) -> Option<u32> {
    let earlier = number(properties.headers().as_ref()?, "x-delivery-count")?;
    Some(u32::try_from(earlier).unwrap_or(u32::MAX).saturating_add(1))
}

fn text<'a>(headers: &'a FieldTable, name: &str) -> Option<&'a str> {
    match headers.inner().get(name)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok(),
        AMQPValue::ShortString(text) => Some(text.as_str()),
        _ => None,
    }
}

fn number(headers: &FieldTable, name: &str) -> Option<u64> {
    match headers.inner().get(name)? {
        AMQPValue::LongLongInt(number) => u64::try_from(*number).ok(),
        AMQPValue::Timestamp(number) => Some(*number),
        _ => None,
    }
}

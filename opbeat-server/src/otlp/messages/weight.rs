//! The weight of a body: an upper bound of the memory that its messages take once they are decoded.
//!
//! A span of two bytes becomes a struct of 250. Bodies are therefore weighed before they are decoded, in linear time and
//! without an allocation.

use super::logs::{LogRecord, ResourceLogs, ScopeLogs};
use super::signal::Signal;
use super::traces::{ResourceSpans, ScopeSpans, Span, SpanEvent};
use super::values::KeyValue;

/// The largest weight for each byte of a body. Exporters' bodies have a weight of two to four.
const MAX_PER_BYTE: usize = 8;

/// The weight that every body may have.
const MIN: usize = 64 << 10;

/// The largest weight of a body, in bytes.
const MAX: usize = 64 << 20;

/// The deepest nesting of messages that is weighed. prost rejects deeper messages.
const MAX_DEPTH: usize = 100;

/// Returns the largest weight that a body may have, in bytes.
fn limit(body: &[u8]) -> usize {
    body.len().saturating_mul(MAX_PER_BYTE).saturating_add(MIN).min(MAX)
}

/// The messages in a message, by the number of their field.
struct Shape {
    /// The memory that the message takes by itself, in bytes.
    size: usize,
    fields: &'static [(u64, &'static Self)],
}

static VALUE: Shape = Shape { size: size_of::<KeyValue>(), fields: &[(5, &LIST), (6, &MAP)] };
static LIST: Shape = Shape { size: 0, fields: &[(1, &VALUE)] };
static MAP: Shape = Shape { size: 0, fields: &[(1, &ENTRY)] };
static ENTRY: Shape = Shape { size: size_of::<KeyValue>(), fields: &[(2, &VALUE)] };
static RESOURCE: Shape = Shape { size: 0, fields: &[(1, &ENTRY)] };
static EVENT: Shape = Shape { size: size_of::<SpanEvent>(), fields: &[(3, &ENTRY)] };
static SPAN: Shape = Shape { size: size_of::<Span>(), fields: &[(9, &ENTRY), (11, &EVENT)] };
static SCOPE_SPANS: Shape = Shape { size: size_of::<ScopeSpans>(), fields: &[(2, &SPAN)] };
static RESOURCE_SPANS: Shape = Shape { size: size_of::<ResourceSpans>(), fields: &[(1, &RESOURCE), (2, &SCOPE_SPANS)] };
static LOG_RECORD: Shape = Shape { size: size_of::<LogRecord>(), fields: &[(5, &VALUE), (6, &ENTRY)] };
static SCOPE_LOGS: Shape = Shape { size: size_of::<ScopeLogs>(), fields: &[(2, &LOG_RECORD)] };
static RESOURCE_LOGS: Shape = Shape { size: size_of::<ResourceLogs>(), fields: &[(1, &RESOURCE), (2, &SCOPE_LOGS)] };
static METRIC: Shape = Shape { size: size_of::<KeyValue>(), fields: &[] };
static SCOPE_METRICS: Shape = Shape { size: size_of::<ScopeSpans>(), fields: &[(2, &METRIC)] };
static RESOURCE_METRICS: Shape = Shape { size: size_of::<ResourceSpans>(), fields: &[(2, &SCOPE_METRICS)] };

static TRACES: Shape = Shape { size: 0, fields: &[(1, &RESOURCE_SPANS)] };
static LOGS: Shape = Shape { size: 0, fields: &[(1, &RESOURCE_LOGS)] };
static METRICS: Shape = Shape { size: 0, fields: &[(1, &RESOURCE_METRICS)] };

/// The reason why a request is not decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It takes too much memory once it is decoded.
    TooHeavy,
    /// It has a group of protobuf. OTLP has none, and what comes after a group would have no weight.
    Group,
}

/// Weighs a request in protobuf.
///
/// A damaged message is weighed up to the damage, which the decoder finds as well.
pub(super) fn weigh_protobuf(body: &[u8], signal: Signal) -> Result<(), Refusal> {
    let shape = match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    };
    let mut left = limit(body);
    weigh(body, shape, MAX_DEPTH, &mut left)
}

/// Takes the weight of a message from what is left.
fn weigh(mut message: &[u8], shape: &Shape, depth: usize, left: &mut usize) -> Result<(), Refusal> {
    *left = left.checked_sub(shape.size).ok_or(Refusal::TooHeavy)?;
    if depth == 0 {
        return Ok(());
    }
    while let Some(tag) = varint(&mut message) {
        if matches!(tag & 7, 3 | 4) {
            return Err(Refusal::Group);
        }
        let Some((field, content)) = field(tag, &mut message) else { break };
        let known = shape.fields.iter().find(|(number, _)| *number == field);
        if let (Some((_, inner)), Some(content)) = (known, content) {
            weigh(content, inner, depth - 1, left)?;
        }
    }
    Ok(())
}

/// Reads the field after a tag: its number, and its bytes if it has a length. Returns `None` at damage, such as a type
/// that protobuf does not have.
fn field<'a>(tag: u64, message: &mut &'a [u8]) -> Option<(u64, Option<&'a [u8]>)> {
    let content = match tag & 7 {
        0 => varint(message).map(|_| None)?,
        1 => split(message, 8).map(|_| None)?,
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            Some(split(message, length)?)
        }
        5 => split(message, 4).map(|_| None)?,
        _ => return None,
    };
    Some((tag >> 3, content))
}

fn split<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (first, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(first)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..70).step_by(7) {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Returns whether a request in JSON takes too much memory once it is decoded.
///
/// Each object counts as the largest message that can be at its depth.
pub(super) fn is_json_too_heavy(body: &[u8]) -> bool {
    /// The depth of spans and log records: `{resourceSpans: [{scopeSpans: [{spans: [{`.
    const ITEMS: usize = 4;
    let mut left = limit(body);
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'{' if !is_text => {
                depth += 1;
                let size = if depth <= ITEMS { size_of::<Span>() } else { size_of::<SpanEvent>() };
                match left.checked_sub(size) {
                    Some(rest) => left = rest,
                    None => return true,
                }
            }
            b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::super::traces::ExportTraces;
    use super::super::values::{Value, any_value::Kind};
    use super::*;

    #[test]
    fn bodies_of_empty_messages_are_too_heavy() {
        let spans = ScopeSpans { spans: vec![Span::default(); 20_000], ..ScopeSpans::default() };
        let resource = ResourceSpans { scope_spans: vec![spans], ..ResourceSpans::default() };
        let body = ExportTraces { resource_spans: vec![resource] }.encode_to_vec();
        assert_eq!(weigh_protobuf(&body, Signal::Traces), Err(Refusal::TooHeavy));
        let json = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{}{{}}]}}]}}]}}"#, "{},".repeat(20_000));
        assert!(is_json_too_heavy(json.as_bytes()));
    }

    #[test]
    fn usual_bodies_are_not() {
        let text = |text: &str| Some(Value { kind: Some(Kind::Text(text.to_owned())) });
        let attribute = KeyValue { key: "http.request.method".to_owned(), value: text("GET") };
        let span = Span {
            trace_id: vec![1; 16],
            span_id: vec![1; 8],
            name: "GET /books/{id}".to_owned(),
            attributes: vec![attribute; 10],
            ..Span::default()
        };
        let spans = ScopeSpans { spans: vec![span; 20_000], ..ScopeSpans::default() };
        let resource = ResourceSpans { scope_spans: vec![spans], ..ResourceSpans::default() };
        let body = ExportTraces { resource_spans: vec![resource] }.encode_to_vec();
        assert_eq!(weigh_protobuf(&body, Signal::Traces), Ok(()));
        let attribute = r#"{"key": "http.request.method", "value": {"stringValue": "{\"}{"}}"#;
        let span = format!(r#"{{"traceId": "{}", "name": "GET /", "attributes": [{attribute}]}},"#, "0".repeat(32));
        let json = format!(r#"{{"resourceSpans": [{{"scopeSpans": [{{"spans": [{}null]}}]}}]}}"#, span.repeat(9_000));
        assert!(!is_json_too_heavy(json.as_bytes()));
    }
}

//! Our position as a context of OpenTelemetry.

use opbeat_core::instrument::Position;
use opentelemetry::baggage::{Baggage, BaggageExt, BaggageMetadata};
use opentelemetry::{Context, Key, StringValue};
use percent_encoding::percent_decode_str;

use super::live;

/// Returns the current context of OpenTelemetry with our position as its span, and with the baggage of our transaction.
///
/// Spans that start with it are children of this position, on any thread. A propagator that injects it sends our
/// `traceparent`, `tracestate` and `baggage` headers. Baggage that the context had already has precedence. Outside of a
/// transaction, it is the current context.
///
/// # Examples
///
/// ```
/// use opentelemetry::trace::Tracer;
///
/// let context = opbeat_instrument::opentelemetry::context();
/// std::thread::spawn(move || {
///     let tracer = opentelemetry::global::tracer("shop");
///     let _span = tracer.start_with_context("count the shelves", &context);
/// });
/// ```
#[must_use]
pub fn context() -> Context {
    let context = Context::current();
    let Some(position) = Position::current() else { return context };
    let context = match position.transaction().baggage() {
        Some(remote) => {
            let own = context.baggage().iter().map(|(key, value)| (key.clone(), value.clone()));
            context.with_baggage(members(&remote).chain(own).collect::<Baggage>())
        }
        None => context,
    };
    live::carry(&context, position)
}

/// Returns the members of a `baggage` header with their properties.
fn members(header: &str) -> impl Iterator<Item = (Key, (StringValue, BaggageMetadata))> {
    header.split(',').filter_map(|member| {
        let (key, value) = member.split_once('=')?;
        let (value, properties) = value.split_once(';').unwrap_or((value, ""));
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned();
        Some((key.trim().to_owned().into(), (value.into(), BaggageMetadata::from(properties.trim()))))
    })
}

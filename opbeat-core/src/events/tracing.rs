//! Error events of the crate [`tracing`](https://docs.rs/tracing), reported as errors.

use std::error::Error;
use std::fmt;

use tracing_core::field::{Field, Visit};
use tracing_core::{Event as TracingEvent, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

pub use super::format::TransactionFields;
use super::{Event, lines, location};
use crate::capture::{LogField, cut, format_event, received_record};
use crate::record::{self, ErrorRecord, Value};

/// A layer that reports events of the level `ERROR`.
///
/// If a field is an error, as in `error!(error = &err as &dyn Error, "no cart")`, the report contains its chain of
/// sources. Other fields become extra values. An error that is also returned or captured in the same transaction is
/// reported once, whether it was logged as `%err`, as `?err`, within the message or by `#[instrument(err)]`. Events of
/// tower-http's `TraceLayer` about failed responses are ignored, because the adapters report these responses.
///
/// It also keeps the last events of each transaction as log lines for the transaction's error reports, see
/// [`Config::log_lines`](crate::Config::log_lines).
///
/// # Examples
///
/// ```
/// use opbeat_core::events::tracing::ErrorEvents;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// let subscriber = tracing_subscriber::registry().with(ErrorEvents::new());
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct ErrorEvents;

impl ErrorEvents {
    /// Makes the layer.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<S: Subscriber> Layer<S> for ErrorEvents {
    fn on_event(&self, event: &TracingEvent<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if Event::is_ignored(metadata.target()) {
            return;
        }
        if *metadata.level() == Level::ERROR {
            report(event);
        }
        lines::keep(level(*metadata.level()), metadata.target(), |line| event.record(line));
    }
}

fn report(event: &TracingEvent<'_>) {
    let metadata = event.metadata();
    let mut fields = Fields::default();
    event.record(&mut fields);
    let location = location(metadata.file(), metadata.line());
    let Fields { message, error, others } = fields;
    Event { target: metadata.target(), message, error, fields: others, location }.report();
}

/// Adds the fields of an event to a line, in the order in which they were logged.
impl Visit for lines::Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // The bridge from `log` adds target, file and line as fields.
        if !field.name().starts_with("log.") {
            self.add(field.name(), format_args!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

fn level(level: Level) -> record::Level {
    match level {
        Level::ERROR => record::Level::Error,
        Level::WARN => record::Level::Warning,
        Level::INFO => record::Level::Info,
        _ => record::Level::Debug,
    }
}

/// The fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    error: Option<ErrorRecord>,
    others: Vec<LogField>,
}

/// The largest number of fields of an event that are kept. Further fields are ignored.
const MAX_FIELDS: usize = 32;

impl Fields {
    fn add(&mut self, field: &Field, value: impl Into<Value>) {
        // The bridge from `log` adds target, file and line as fields, and the metadata has them already.
        if self.others.len() < MAX_FIELDS && !field.name().starts_with("log.") {
            self.others.push((field.name(), value.into()));
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = format_event(format_args!("{value:?}"));
        if field.name() == "message" { self.message = text } else { self.add(field, text) }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = cut(value.to_owned());
        if field.name() == "message" { self.message = text } else { self.add(field, text) }
    }

    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        self.error.get_or_insert_with(|| received_record(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.add(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.add(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.add(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.add(field, value);
    }
}

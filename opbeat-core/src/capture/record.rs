//! Records of captured errors, without the parts that the worker adds.

use std::any::Any;
use std::error::Error;
use std::fmt;
use std::panic::{Location as Caller, PanicHookInfo};
use std::time::SystemTime;

use super::debug_output::DebugOutput;
use super::{chain, debug_text, panic_message, stack, text, type_name};
#[cfg(any(feature = "log", feature = "tracing"))]
use crate::record::Value;
use crate::record::{ErrorId, ErrorRecord, Level, Location, LongPoll, Origin, Stack};

/// Records an error with its chain of sources, and the stack and location of the caller.
#[track_caller]
pub(crate) fn error_record<E: Error + ?Sized>(error: &E) -> ErrorRecord {
    ErrorRecord { location: Some(Caller::caller().into()), stack: stack::capture(), ..received_record(error) }
}

/// Records an error without stack and location, which would be those of the receiving code.
pub(crate) fn received_record<E: Error + ?Sized>(error: &E) -> ErrorRecord {
    let (message, causes) = (text::display(error), chain::causes(error));
    let type_name = type_name::of(error, &message);
    ErrorRecord {
        type_name: Some(type_name.name),
        module: type_name.module,
        other_texts: debug_text::debug_text(error, &message, &causes).into_iter().collect(),
        causes,
        ..bare(Level::Error, message)
    }
}

/// Records a value that is not an error by its `Debug` output, without stack and location.
pub(crate) fn debug_record<T: fmt::Debug>(value: &T) -> ErrorRecord {
    let type_name = type_name::split(std::any::type_name::<T>());
    let DebugOutput { text, is_cut } = DebugOutput::of_value(value);
    ErrorRecord {
        type_name: Some(type_name.name),
        module: type_name.module,
        // The log of the application has no ellipsis at this position.
        other_texts: is_cut.then(|| text.clone()).into_iter().collect(),
        ..bare(Level::Error, if is_cut { format!("{text}…") } else { text })
    }
}

/// Records an error that was made from an `E`, under the name of `E` unless `E` can hold any error.
#[track_caller]
pub(crate) fn typed_error_record<E>(error: &(dyn Error + 'static)) -> ErrorRecord {
    let mut record = error_record(error);
    if let Some(type_name) = type_name::of_source::<E>() {
        (record.type_name, record.module) = (Some(type_name.name), type_name.module);
    }
    record
}

/// Records a message with the stack and location of the caller.
#[track_caller]
pub(crate) fn message_record(level: Level, message: String) -> ErrorRecord {
    ErrorRecord { location: Some(Caller::caller().into()), stack: stack::capture(), ..bare(level, text::cut(message)) }
}

/// Records a panic, inside the panic hook.
pub(crate) fn panic_record(panic: &PanicHookInfo<'_>) -> ErrorRecord {
    ErrorRecord {
        origin: Origin::Panicked,
        type_name: Some("panic".to_owned()),
        location: panic.location().map(Into::into),
        stack: stack::capture(),
        ..bare(Level::Fatal, panic_message::in_hook(panic.payload()))
    }
}

/// Records a panic that the hook did not report, by its payload if that is known.
#[cold]
pub(crate) fn caught_panic_record(payload: Option<&(dyn Any + Send)>) -> ErrorRecord {
    let message = payload.map_or_else(|| "the handler panicked".to_owned(), panic_message::of_caught);
    ErrorRecord { origin: Origin::Panicked, type_name: Some("panic".to_owned()), ..bare(Level::Fatal, message) }
}

/// Records a failure of a handler by its type and its `Display` output. It has no stack, because that would show the
/// framework only.
pub(crate) fn failure_record<E: fmt::Display + ?Sized>(failure: &E) -> ErrorRecord {
    let type_name = type_name::split(std::any::type_name::<E>());
    ErrorRecord {
        origin: Origin::Described,
        type_name: Some(type_name.name),
        module: type_name.module,
        ..bare(Level::Error, text::display(failure))
    }
}

/// Records a 5xx response, or a missing response, that no error explains. It has no stack, because that would show this
/// crate only.
pub(crate) fn status_record(status: Option<u16>) -> ErrorRecord {
    let (type_name, message) = match status {
        Some(status) => {
            (format!("HTTP {status}"), format!("the application responded with {status} and reported no error"))
        }
        None => ("NoResponse".to_owned(), "the application failed without a response and reported no error".to_owned()),
    };
    ErrorRecord { origin: Origin::Status, type_name: Some(type_name), ..bare(Level::Error, message) }
}

/// Records that a response body ended before its declared length. It has no stack, because that would show the server
/// only.
pub(crate) fn incomplete_body_record(sent: u64, length: u64) -> ErrorRecord {
    let message =
        format!("the response body ended after {sent} of the {length} bytes that its Content-Length declares");
    ErrorRecord { type_name: Some("IncompleteBody".to_owned()), ..bare(Level::Error, message) }
}

/// Records that a poll took too long. It has no stack, because by now the stack shows the code that polled, and not the
/// work.
pub(crate) fn blocked_record(poll: LongPoll) -> ErrorRecord {
    let message = format!(
        "a poll blocked its executor's thread for {} ms; move the work to spawn_blocking",
        poll.took.as_millis()
    );
    let type_name = Some("BlockedExecutor".to_owned());
    ErrorRecord { type_name, long_poll: Some(poll), ..bare(Level::Warning, message) }
}

/// A field of a log event.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) type LogField = (&'static str, Value);

/// Records a log event, with the record of the error that it contains if there is one. The message of an event without text is the
/// value of its error field.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn event_record(message: String, error: Option<ErrorRecord>, fields: Vec<LogField>) -> ErrorRecord {
    let texts = fields.iter().filter(|(name, _)| names_error(name)).filter_map(|(_, value)| as_text(value));
    let mut texts: Vec<String> = texts.map(str::to_owned).collect();
    let has_error = error.is_some();
    let mut record = match error {
        Some(error) => error,
        None if message.is_empty() => bare(Level::Error, texts.first().cloned().unwrap_or_default()),
        None => bare(Level::Error, message.clone()),
    };
    record.other_texts.append(&mut texts);
    record.module = None;
    record.extra.extend(fields.into_iter().map(|(name, value)| (name.into(), value)));
    if has_error && !message.is_empty() {
        record.extra.push(("log".into(), message.into()));
    }
    record.origin = Origin::Logged;
    record.stack = stack::capture();
    record
}

/// Returns whether a field has a name under which errors are usually logged.
#[cfg(any(feature = "log", feature = "tracing"))]
fn names_error(name: &str) -> bool {
    const NAMES: [&str; 6] = ["e", "cause", "exception", "failure", "reason", "source"];
    NAMES.contains(&name) || name.ends_with("err") || name.ends_with("error")
}

#[cfg(any(feature = "log", feature = "tracing"))]
fn as_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::Integer(_) | Value::Float(_) | Value::Bool(_) => None,
    }
}

fn bare(level: Level, message: String) -> ErrorRecord {
    ErrorRecord {
        id: ErrorId(fastrand::u128(..)),
        happened_at: SystemTime::now(),
        origin: Origin::Captured,
        occurrences: 1,
        level,
        type_name: None,
        module: None,
        message,
        causes: Vec::new(),
        location: None,
        culprit: None,
        stack: Stack::default(),
        transaction: None,
        request: None,
        response_headers: Vec::new(),
        user: None,
        tags: Vec::new(),
        extra: Vec::new(),
        log: Vec::new(),
        other_texts: Vec::new(),
        long_poll: None,
    }
}

impl From<&Caller<'_>> for Location {
    fn from(caller: &Caller<'_>) -> Self {
        Self { file: caller.file().to_owned().into(), line: caller.line(), column: caller.column() }
    }
}

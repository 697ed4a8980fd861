//! Records of what was captured, complete but for what the worker adds.

use std::error::Error;
use std::fmt;
use std::panic::{Location as Caller, PanicHookInfo};
use std::time::{Duration, SystemTime};

use super::{chain, stack, text, type_name};
use crate::record::{ErrorId, ErrorRecord, Level, Location, Origin, Stack};

/// Records an error with its chain of sources and the stack of whoever captured it.
#[track_caller]
pub(crate) fn error_record<E: Error + ?Sized>(error: &E) -> ErrorRecord {
    let type_name = type_name::of(error);
    ErrorRecord {
        type_name: Some(type_name.name),
        module: type_name.module,
        causes: chain::causes(error),
        location: Some(Caller::caller().into()),
        stack: stack::capture(),
        ..bare(Level::Error, text::shown(error))
    }
}

/// Records an error that was made from an `E`, as far as that has a name that tells.
#[track_caller]
pub(crate) fn typed_error_record<E>(error: &(dyn Error + 'static)) -> ErrorRecord {
    let mut record = error_record(error);
    if let Some(type_name) = type_name::of_source::<E>() {
        (record.type_name, record.module) = (Some(type_name.name), type_name.module);
    }
    record
}

/// Records a message with the stack of whoever sent it.
#[track_caller]
pub(crate) fn message_record(level: Level, message: String) -> ErrorRecord {
    ErrorRecord { location: Some(Caller::caller().into()), stack: stack::capture(), ..bare(level, text::cut(message)) }
}

/// Records a panic, from inside of the hook.
pub(crate) fn panic_record(panic: &PanicHookInfo<'_>) -> ErrorRecord {
    ErrorRecord {
        origin: Origin::Panicked,
        type_name: Some("panic".to_owned()),
        location: panic.location().map(Into::into),
        stack: stack::capture(),
        ..bare(Level::Fatal, panic_message(panic))
    }
}

/// Records what a handler failed with, of which nothing is known but its type and what it says. No stack: it would show
/// the framework only.
pub(crate) fn failure_record<E: fmt::Display + ?Sized>(failure: &E) -> ErrorRecord {
    let type_name = type_name::split(std::any::type_name::<E>());
    ErrorRecord {
        origin: Origin::Described,
        type_name: Some(type_name.name),
        module: type_name.module,
        ..bare(Level::Error, text::shown(failure))
    }
}

/// Records an answer of 5xx, or none at all, that no error explains. No stack: it would show ours.
pub(crate) fn status_record(status: Option<u16>) -> ErrorRecord {
    let (type_name, message) = match status {
        Some(status) => (format!("HTTP {status}"), format!("the application answered {status}, and reported no error")),
        None => {
            ("NoResponse".to_owned(), "the application failed without a response, and reported no error".to_owned())
        }
    };
    ErrorRecord { origin: Origin::Status, type_name: Some(type_name), ..bare(Level::Error, message) }
}

/// Records that a poll took too long. No stack: by now it shows who polled, and not what was done.
pub(crate) fn blocked_record(poll: Duration) -> ErrorRecord {
    let message =
        format!("a poll held up its executor's thread for {} ms; move the work to spawn_blocking", poll.as_millis());
    ErrorRecord { type_name: Some("BlockedExecutor".to_owned()), ..bare(Level::Warning, message) }
}

/// Records an event of the application's log, with the error that it carries if there is one.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn event_record(level: Level, message: String, error: Option<&(dyn Error + 'static)>) -> ErrorRecord {
    let mut record = match error {
        Some(error) => ErrorRecord {
            type_name: Some(type_name::of(error).name),
            causes: chain::causes(error),
            ..bare(level, text::shown(error))
        },
        None => bare(level, message.clone()),
    };
    if error.is_some() && !message.is_empty() {
        record.extra.push(("log".into(), message.into()));
    }
    record.origin = Origin::Logged;
    record.stack = stack::capture();
    record
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
        user: None,
        tags: Vec::new(),
        extra: Vec::new(),
    }
}

fn panic_message(panic: &PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text::shown(text.unwrap_or("a panic whose payload is no text"))
}

impl From<&Caller<'_>> for Location {
    fn from(caller: &Caller<'_>) -> Self {
        Self { file: caller.file().to_owned().into(), line: caller.line(), column: caller.column() }
    }
}

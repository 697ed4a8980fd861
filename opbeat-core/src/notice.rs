//! Messages for the application's developer.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::sync::Mutex;

use log::Level;

use crate::caught::caught;
use crate::lock::lock;

/// Reports a problem that must be fixed, in the application's log, or on standard error if no log shows it.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    write(Level::Error, message);
}

/// Reports a problem that may end by itself, in the application's log, or on standard error if no log shows it.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    write(Level::Warn, message);
}

/// Logs a message about working delivery with level `info`. If no log shows it, it does nothing.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    log(Level::Info, message);
}

/// Warns the developer of the application once per process, such as of a layer that is in the wrong position.
///
/// The message goes to the application's log, or to standard error if the log does not show it.
pub fn warn_once(once: &std::sync::Once, message: &str) {
    once.call_once(|| warn(format_args!("{message}")));
}

/// Returns whether the application's log shows messages of the level `info`.
pub(crate) fn shows_info() -> bool {
    caught(|| log::log_enabled!(target: "opbeat", Level::Info)).unwrap_or(false)
}

/// Writes a message. The logger is the application's and may panic, which must end neither the agent's threads nor a
/// request.
fn write(level: Level, message: fmt::Arguments<'_>) {
    if log(level, message) {
        return;
    }
    caught(|| {
        let message = message.to_string();
        if has_no_logger() || is_first(&message) {
            // There is nowhere else to report that standard error is closed.
            let _ = writeln!(io::stderr(), "opbeat: {message}");
        }
    });
}

/// Gives a message to the application's logger. Returns whether the logger shows it.
///
/// `log_enabled!` does not decide that: a `tracing` subscriber whose layers have filters of their own enables records
/// that no layer shows. A logger that shows a record has to format its text.
fn log(level: Level, message: fmt::Arguments<'_>) -> bool {
    let message = Message { text: message, is_formatted: Cell::new(false) };
    let outer = IS_LOGGING.replace(true);
    caught(|| log::log!(target: "opbeat", level, "{message}"));
    IS_LOGGING.set(outer);
    message.is_formatted.get()
}

/// A message that knows whether it was formatted.
struct Message<'a> {
    text: fmt::Arguments<'a>,
    is_formatted: Cell<bool>,
}

impl fmt::Display for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.is_formatted.set(true);
        f.write_fmt(self.text)
    }
}

thread_local! {
    /// Whether this thread gives a message to the logger.
    static IS_LOGGING: Cell<bool> = const { Cell::new(false) };
}

/// Returns whether this thread logs a message of the agent, which must not be reported as an error of the application.
///
/// The bridge from `log` to `tracing` hides the target of a record until its fields are read.
#[cfg(any(feature = "log", feature = "tracing"))]
pub(crate) fn is_logging() -> bool {
    IS_LOGGING.get()
}

/// Returns whether no logger is installed: an installed logger raises the level from `Off`.
fn has_no_logger() -> bool {
    log::max_level() == log::LevelFilter::Off
}

/// Returns whether a message is written for the first time. A developer who filters the log sees each message once.
fn is_first(message: &str) -> bool {
    /// The largest number of different messages.
    const MOST: usize = 64;
    static WRITTEN: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut written = lock(&WRITTEN);
    written.len() < MOST && written.insert(message.to_owned())
}

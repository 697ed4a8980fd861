//! Messages for the application's developer.

use std::fmt;
use std::io::{self, Write};

use log::Level;

use crate::caught::caught;

/// Reports a problem that must be fixed, in the application's log, or on standard error if there is no logger.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    write(Level::Error, message);
}

/// Reports a problem that may end by itself, in the application's log, or on standard error if there is no logger.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    write(Level::Warn, message);
}

/// Logs a message about working delivery with level `info`. Without a logger, it does nothing.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    caught(|| log::info!(target: "opbeat", "{message}"));
}

/// Returns whether the application's log shows messages of the level `info`.
pub(crate) fn shows_info() -> bool {
    caught(|| log::log_enabled!(target: "opbeat", Level::Info)).unwrap_or(false)
}

/// Writes a message. The logger is the application's and may panic, which must end neither the agent's threads nor a
/// request.
fn write(level: Level, message: fmt::Arguments<'_>) {
    caught(|| {
        log::log!(target: "opbeat", level, "{message}");
        if has_no_logger() {
            // There is nowhere else to report that standard error is closed.
            let _ = writeln!(io::stderr(), "opbeat: {message}");
        }
    });
}

/// Returns whether no logger is installed: an installed logger raises the level from `Off`.
fn has_no_logger() -> bool {
    log::max_level() == log::LevelFilter::Off
}

/// Warns the developer of the application once per process, such as of a layer that is in the wrong position.
///
/// The message goes to the application's log, or to standard error if there is no logger.
pub fn warn_once(once: &std::sync::Once, message: &str) {
    once.call_once(|| warn(format_args!("{message}")));
}

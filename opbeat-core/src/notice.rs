//! What the application's developer is told.

use std::fmt;
use std::io::{self, Write};

use log::Level;

use crate::caught::caught;

/// Tells of something that has to be mended: in the application's log, or on the terminal if there is no logger.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    tell(Level::Error, message);
}

/// Tells of something that is not as it should be: in the application's log, or on the terminal if there is no logger.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    tell(Level::Warn, message);
}

/// Tells of something that is as it should be: in the log, if there is one.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    caught(|| log::info!(target: "opbeat", "{message}"));
}

/// Loggers are the application's, and may panic: that must end neither a thread of ours nor a request.
fn tell(level: Level, message: fmt::Arguments<'_>) {
    caught(|| {
        log::log!(target: "opbeat", level, "{message}");
        if has_no_logger() {
            // A terminal that is full or closed has nobody in front of it.
            let _ = writeln!(io::stderr(), "opbeat: {message}");
        }
    });
}

/// Loggers raise the level from off when they are installed.
fn has_no_logger() -> bool {
    log::max_level() == log::LevelFilter::Off
}

/// Warns the developer of the application once per process, such as of a layer that is in the wrong position.
///
/// The message goes to the application's log, or to the terminal if there is no logger.
pub fn warn_once(once: &std::sync::Once, message: &str) {
    once.call_once(|| warn(format_args!("{message}")));
}

//! What the application's developer is told.

use std::fmt;

/// Tells of something that has to be mended: in the application's log, or on the terminal if there is no logger.
pub(crate) fn error(message: fmt::Arguments<'_>) {
    log::error!(target: "opbeat", "{message}");
    if has_no_logger() {
        write_to_terminal(message);
    }
}

/// Tells of something that is not as it should be: in the application's log, or on the terminal if there is no logger.
pub(crate) fn warn(message: fmt::Arguments<'_>) {
    log::warn!(target: "opbeat", "{message}");
    if has_no_logger() {
        write_to_terminal(message);
    }
}

/// Tells of something that is as it should be: in the log, if there is one.
pub(crate) fn info(message: fmt::Arguments<'_>) {
    log::info!(target: "opbeat", "{message}");
}

/// Loggers raise the level from off when they are installed.
fn has_no_logger() -> bool {
    log::max_level() == log::LevelFilter::Off
}

#[expect(clippy::print_stderr, reason = "without a logger there is no other way to tell")]
fn write_to_terminal(message: fmt::Arguments<'_>) {
    eprintln!("opbeat: {message}");
}

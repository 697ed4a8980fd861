//! Tells the application's developer that there is no monitoring.

use super::ConfigError;

/// Logs what is wrong, or writes it to the terminal if the application has no logger.
pub(crate) fn complain(error: &ConfigError) {
    if log::log_enabled!(target: "opbeat", log::Level::Error) {
        log::error!(target: "opbeat", "{error}; the application runs unmonitored");
    } else {
        warn_terminal(error);
    }
}

#[expect(clippy::print_stderr, reason = "without a logger there is no other way to tell")]
fn warn_terminal(error: &ConfigError) {
    eprintln!("opbeat: {error}; the application runs unmonitored");
}

//! What adapters say when they are not used as they should be.

use std::sync::Once;

use crate::notice;

/// Tells the application's developer, once in a process, of something that has to be mended: in the log, or on the
/// terminal if there is no logger.
pub fn warn_once(once: &Once, message: &str) {
    once.call_once(|| notice::warn(format_args!("{message}")));
}

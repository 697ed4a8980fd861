//! The start of an error's `Debug` output, by which its log events are recognised.

use std::error::Error;
use std::fmt;

use super::backtraces;
use super::debug_output::DebugOutput;
use crate::record::Cause;

/// The largest number of bytes that are kept. The distinguishing part of the output is at its start.
const MAX_BYTES: usize = 512;

/// Returns the start of an error's `Debug` output, unless that contains the message: then comparing the message is
/// enough.
///
/// Formatting ends at the message of the error or of a cause. Errors such as those of `anyhow` write their backtrace
/// after it, which is slow.
pub(super) fn debug_text<E: Error + ?Sized>(error: &E, message: &str, causes: &[Cause]) -> Option<String> {
    let messages: Vec<&str> = [message].into_iter().chain(causes.iter().map(|cause| cause.message.as_str())).collect();
    // An error without causes may hide an error of `anyhow`, whose message is unknown here. In the pretty form, that
    // has no backtrace either.
    let is_pretty = causes.is_empty() && backtraces::are_enabled();
    let text = DebugOutput::of(&Printed(error), is_pretty, MAX_BYTES, &messages).text;
    (!text.contains(message)).then_some(text)
}

/// An error of any size, which can be used as `dyn Debug`.
struct Printed<'a, E: ?Sized>(&'a E);

impl<E: Error + ?Sized> fmt::Debug for Printed<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

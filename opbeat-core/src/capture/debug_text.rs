//! The start of an error's `Debug` output, by which its log events are recognised.

use std::error::Error;
use std::fmt::{self, Write};

use crate::caught::caught;

/// The largest number of bytes that are kept. The distinguishing part of the output is at its start.
const MAX_BYTES: usize = 512;

/// Returns the start of an error's `Debug` output, unless that contains the message: then comparing the message is
/// enough.
///
/// Formatting stops at the message. Errors such as those of `anyhow` write their backtrace after it, which is slow.
pub(super) fn debug_text<E: Error + ?Sized>(error: &E, message: &str) -> Option<String> {
    let mut start = Start { text: String::new(), message };
    // Formatting stops early by an error, and the application's formatter may panic. Neither matters here.
    caught(|| start.write_fmt(format_args!("{error:?}")));
    (!start.text.contains(message)).then_some(start.text)
}

struct Start<'a> {
    text: String,
    message: &'a str,
}

impl Write for Start<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let end = more.floor_char_boundary(MAX_BYTES.saturating_sub(self.text.len()));
        self.text.push_str(&more[..end]);
        if end < more.len() || self.text.ends_with(self.message) { Err(fmt::Error) } else { Ok(()) }
    }
}

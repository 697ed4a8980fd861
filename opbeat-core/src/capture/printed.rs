//! What `Debug` says of an error, to tell whether a log tells of it.

use std::error::Error;
use std::fmt::{self, Write};

use crate::caught::caught;

/// Bytes that are kept: what an error prints begins with what tells it apart.
const MOST: usize = 512;

/// Returns the start of what an error prints, unless it repeats the message: then that tells enough.
///
/// Printing stops at the message. Errors such as `anyhow`'s print their backtrace behind it, which takes long.
pub(super) fn printed<E: Error + ?Sized>(error: &E, message: &str) -> Option<String> {
    let mut start = Start { text: String::new(), message };
    // Writing stops when enough is known, which is no failure, and a panic is the application's.
    caught(|| start.write_fmt(format_args!("{error:?}")));
    (!start.text.contains(message)).then_some(start.text)
}

struct Start<'a> {
    text: String,
    message: &'a str,
}

impl Write for Start<'_> {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = MOST.saturating_sub(self.text.len()).min(more.len());
        let end = (0..=room).rev().find(|end| more.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(&more[..end]);
        if end < more.len() || self.text.ends_with(self.message) { Err(fmt::Error) } else { Ok(()) }
    }
}

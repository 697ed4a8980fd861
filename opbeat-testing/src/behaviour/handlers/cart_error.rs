//! The error of the table's handlers.

use std::error::Error;
use std::fmt;
use std::io;

/// An error with a cause.
#[derive(Debug)]
pub struct CartError {
    cause: io::Error,
}

impl CartError {
    /// Creates the error that the table expects.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "an error is created because something failed")]
    pub fn new() -> Self {
        Self { cause: io::Error::other("the shelf is broken") }
    }
}

impl fmt::Display for CartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is no cart")
    }
}

impl Error for CartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

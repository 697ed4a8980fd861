//! Errors of unknown types, which are read from their printed text.

use std::error::Error as StdError;
use std::fmt;

use actix_web::Error;
use opbeat_core::http::display_output;

use super::causes::causes;
use super::text::PrintedText;

/// An error with the message and the debug output of an error whose type is unknown here.
///
/// The report takes the type name from the debug output. `anyhow` and `eyre` print their causes, also if another type
/// wraps them.
pub(crate) struct PrintedError {
    message: String,
    printed: String,
    source: Option<Box<Self>>,
}

impl PrintedError {
    pub(crate) fn of(error: &Error) -> Self {
        let hidden = error.as_response_error();
        let message = display_output(hidden);
        let PrintedText { text: printed, is_cut, .. } = PrintedText::of(hidden, &message);
        let causes = causes(&printed, !is_cut && !printed.starts_with(&message)).into_iter().rev();
        let source = causes.fold(None, |source, cause| {
            Some(Box::new(Self { message: cause.message, printed: cause.printed, source }))
        });
        Self { message, printed, source }
    }

    /// Returns whether the error is `Elapsed`, the error of tokio's timeouts.
    pub(crate) fn is_timeout(&self) -> bool {
        self.printed.starts_with("Elapsed")
    }
}

impl fmt::Debug for PrintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.printed)
    }
}

impl fmt::Display for PrintedError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for PrintedError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

//! The result of a connection check.

use std::fmt;

#[cfg(feature = "intake")]
use super::error::{ExportError, ExportErrorKind};

/// The result of a check whether deliveries reach their server. A field is `None` if the check did not find out.
///
/// Its `Display` form states the result in one or two sentences, with a remedy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// Whether a program responds at the server's address.
    pub is_reached: Option<bool>,
    /// Whether the server accepts the token.
    pub is_token_accepted: Option<bool>,
    /// Whether the address asks for TLS.
    pub is_tls: Option<bool>,
    /// The result as text, with a remedy.
    pub message: String,
}

impl Contact {
    /// Makes a result from its message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Makes the result of a check that no program responded to.
    pub(crate) fn unreached(message: impl Into<String>) -> Self {
        Self { is_reached: Some(false), ..Self::new(message) }
    }

    /// Makes the result of a failed check.
    #[cfg(feature = "intake")]
    pub(crate) fn failed(error: ExportError) -> Self {
        let is_reached = match error.kind {
            ExportErrorKind::Other => None,
            ExportErrorKind::Unreachable | ExportErrorKind::Timeout | ExportErrorKind::Tls => Some(false),
            _ => Some(true),
        };
        let is_token_accepted = (error.kind == ExportErrorKind::Unauthorized).then_some(false);
        Self { is_reached, is_token_accepted, is_tls: None, message: error.message }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_reached == Some(false) {
            f.write_str("NOT REACHED: ")?;
        } else if self.is_token_accepted == Some(false) {
            f.write_str("REACHED, BUT THE TOKEN IS REJECTED: ")?;
        }
        f.write_str(&self.message)
    }
}

//! What is known of the way out of the process.

use std::fmt;

#[cfg(feature = "intake")]
use super::{ExportError, exporter::Obstacle};

/// What was found out about the server that deliveries go to. `None` is what nobody asked or told.
///
/// Its `Display` form says it in a sentence or two, and what to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Contact {
    /// Whether something answers at the server's address.
    pub is_reached: Option<bool>,
    /// Whether it accepts the token.
    pub is_token_accepted: Option<bool>,
    /// Whether the address asks for TLS.
    pub is_tls: Option<bool>,
    /// What was found, and what to do, in words.
    pub message: String,
}

impl Contact {
    /// Says what was found, in words.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// Says that nothing answers, in words.
    pub(crate) fn unreached(message: impl Into<String>) -> Self {
        Self { is_reached: Some(false), ..Self::new(message) }
    }

    /// Says what a failed attempt tells.
    #[cfg(feature = "intake")]
    pub(crate) fn failed(error: ExportError) -> Self {
        let is_reached = match error.obstacle {
            Obstacle::Other => None,
            Obstacle::Unreachable | Obstacle::Silent | Obstacle::Tls => Some(false),
            _ => Some(true),
        };
        let is_token_accepted = (error.obstacle == Obstacle::Denied).then_some(false);
        Self { is_reached, is_token_accepted, is_tls: None, message: error.message }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_reached == Some(false) {
            f.write_str("NOT REACHED: ")?;
        } else if self.is_token_accepted == Some(false) {
            f.write_str("REACHED, BUT THE TOKEN IS NOT ACCEPTED: ")?;
        }
        f.write_str(&self.message)
    }
}

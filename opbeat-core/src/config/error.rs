//! Errors of a configuration.

use crate::capture::error_chain;

/// A configuration with which no agent can start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A required variable is not set, or empty.
    #[error("{0} is not set; `opbeat app create ORG/APP` on the server prints the variables to set")]
    Missing(&'static str),
    /// A variable has an invalid value.
    #[error("{name} is {value:?}, which is not {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// A description of valid values.
        expected: &'static str,
    },
    /// The server's address asks for TLS, which is not available.
    #[error("{url} needs TLS: {reason}")]
    Tls {
        /// The server's address.
        url: String,
        /// The missing part, and a remedy.
        reason: String,
    },
    /// The system cannot start a thread.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
}

impl ConfigError {
    /// Returns the messages of the error and its sources, for the log.
    pub(crate) fn with_sources(&self) -> String {
        error_chain(self).map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }
}

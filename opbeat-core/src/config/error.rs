//! Why a configuration cannot work.

/// A configuration that cannot work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A variable that is needed is not set or empty.
    #[error("{0} is not set; `opbeat app create ORG/APP` on the server prints the variables to set")]
    Missing(&'static str),
    /// A variable has a value that it cannot have.
    #[error("{name} is {value:?}, which is not {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it could be.
        expected: &'static str,
    },
    /// The server's address asks for TLS, and there is none.
    #[error("{url} needs TLS: {reason}")]
    Tls {
        /// The server's address.
        url: String,
        /// What is missing.
        reason: String,
    },
    /// The system has no thread for us.
    #[error("cannot start a thread: {0}")]
    Thread(#[source] std::io::Error),
}

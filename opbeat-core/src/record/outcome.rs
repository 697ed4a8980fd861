//! Outcomes and results of transactions.

use std::borrow::Cow;
use std::fmt;

/// The outcome of a transaction. The set is the same for all frameworks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// Success.
    #[default]
    Ok,
    /// The request was at fault: a 4xx response.
    ClientError,
    /// The application was at fault: a 5xx response or an error.
    ServerError,
    /// A panic.
    Panicked,
    /// The client disconnected: the future or the response body was dropped before its end.
    ClientGone,
    /// A timeout.
    TimedOut,
    /// The application rejected the request because of its load.
    Shed,
    /// The connection changed to another protocol, such as WebSocket.
    Upgraded,
}

impl Outcome {
    /// Returns the outcome's name in the wire format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::Panicked => "panicked",
            Self::ClientGone => "client_gone",
            Self::TimedOut => "timed_out",
            Self::Shed => "shed",
            Self::Upgraded => "upgraded",
        }
    }

    /// Returns the outcome of a status. 408 and 504 are the responses of timeouts.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            101 => Self::Upgraded,
            100..=399 => Self::Ok,
            408 | 504 => Self::TimedOut,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }

    /// Returns whether the application failed, so that the transaction counts as an error.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::ServerError | Self::Panicked | Self::TimedOut | Self::Shed)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The result that a transaction is counted under: a status code or a word.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransactionResult {
    /// An HTTP status code.
    Status(u16),
    /// A word, such as `ok` or `failed`.
    Word(Cow<'static, str>),
}

impl Default for TransactionResult {
    fn default() -> Self {
        Self::Word(Cow::Borrowed("ok"))
    }
}

impl From<u16> for TransactionResult {
    fn from(status: u16) -> Self {
        Self::Status(status)
    }
}

impl From<&'static str> for TransactionResult {
    fn from(word: &'static str) -> Self {
        Self::Word(Cow::Borrowed(word))
    }
}

impl From<String> for TransactionResult {
    fn from(word: String) -> Self {
        Self::Word(Cow::Owned(word))
    }
}

/// Makes the outcome's name the result.
impl From<Outcome> for TransactionResult {
    fn from(outcome: Outcome) -> Self {
        Self::Word(Cow::Borrowed(outcome.as_str()))
    }
}

impl fmt::Display for TransactionResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => status.fmt(f),
            Self::Word(word) => word.fmt(f),
        }
    }
}

//! How a transaction ended.

use std::borrow::Cow;
use std::fmt;

/// How a transaction ended: one of a closed set, whatever the framework.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It did what was asked.
    #[default]
    Ok,
    /// The request was at fault: a 4xx answer.
    ClientError,
    /// The application was at fault: a 5xx answer or an error.
    ServerError,
    /// It panicked.
    Panicked,
    /// Whoever asked went away: the future or the response's body was dropped before its end.
    ClientGone,
    /// A time limit ended it.
    TimedOut,
    /// The application refused it, since it had too much to do.
    Shed,
    /// The connection went over to another protocol, such as a websocket.
    Upgraded,
}

impl Outcome {
    /// Returns the outcome's word, as it is sent.
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

    /// Returns what a status says of a request. 408 and 504 are what time limits answer.
    pub(crate) const fn of_status(status: u16) -> Self {
        match status {
            101 => Self::Upgraded,
            100..=399 => Self::Ok,
            408 | 504 => Self::TimedOut,
            400..=499 => Self::ClientError,
            _ => Self::ServerError,
        }
    }

    /// Returns whether the application failed: the outcomes that count as errors.
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

/// What a transaction is counted under: a status code or a word.
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

/// An outcome stands for itself as a result, unless there is a better one.
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

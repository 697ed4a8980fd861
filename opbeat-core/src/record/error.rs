//! A captured error.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, Instant, SystemTime};

use super::{Frame, RequestRecord, TransactionId, TransactionResult, User, Value};

/// The id of an error report. An application can show it to its user.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorId(pub(crate) u128);

impl fmt::Display for ErrorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for ErrorId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The severity of an error, from the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Details for finding a fault.
    Debug,
    /// A normal event worth knowing.
    Info,
    /// A problem that needs no action now.
    Warning,
    /// A failure.
    #[default]
    Error,
    /// A failure after which the request or the process could not go on, such as a panic.
    Fatal,
}

impl Level {
    /// Returns the level's name in the wire format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// Returns whether it is a failure: `Error` or `Fatal`.
    pub(crate) fn is_failure(self) -> bool {
        self >= Self::Error
    }
}

/// The way an error was reported, from the least to the most informative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// By the status of a failed response, without a cause.
    Status,
    /// By a log event.
    Logged,
    /// By the failure of a service, of which only the text is known.
    Described,
    /// By a captured error or message.
    #[default]
    Captured,
    /// By a panic.
    Panicked,
}

/// One captured error, panic or message.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ErrorRecord {
    /// Its id.
    pub id: ErrorId,
    /// When it was captured.
    pub happened_at: SystemTime,
    /// The way it was reported.
    pub origin: Origin,
    /// The number of errors that it stands for. It is above 1 if there were too many similar errors to send each.
    pub occurrences: u64,
    /// Its severity.
    pub level: Level,
    /// The error's type without its module; `None` for messages.
    pub type_name: Option<String>,
    /// The module that defines the type, if it is known.
    pub module: Option<String>,
    /// Its message.
    pub message: String,
    /// Its causes, the nearest first.
    pub causes: Vec<Cause>,
    /// Its location in the source, if that is known without a stack.
    pub location: Option<Location>,
    /// The application's function that is nearest to the failure.
    pub culprit: Option<String>,
    /// The stack.
    pub stack: Stack,
    /// The transaction in which it happened.
    pub transaction: Option<TransactionReference>,
    /// The request.
    pub request: Option<RequestRecord>,
    /// The headers of the failed response, as far as the configuration chooses them.
    pub response_headers: Vec<(Cow<'static, str>, Value)>,
    /// The user of the transaction.
    pub user: Option<User>,
    /// Searchable values.
    pub tags: Vec<(Cow<'static, str>, Value)>,
    /// Further values of the application.
    pub extra: Vec<(Cow<'static, str>, Value)>,
    /// The last lines that the transaction logged before the error, the oldest first.
    pub log: Vec<LogLine>,
    /// Other texts by which reports of the same failure are recognised: the error's `Debug` output, or the values of a
    /// log event's error fields. They are not sent.
    pub(crate) other_texts: Vec<String>,
    /// The poll that the report is about, if it reports a blocked executor. It is not sent.
    pub(crate) long_poll: Option<LongPoll>,
}

/// A line that a transaction logged before an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its severity.
    pub level: Level,
    /// The time from the line to the error.
    pub before: Duration,
    /// Its target: the module that logged it, unless the application chose another one.
    pub target: String,
    /// Its message, followed by its fields.
    pub message: String,
}

/// A poll that took longer than the blocking threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LongPoll {
    pub(crate) took: Duration,
    /// The start of its transaction, and the time of the report. The poll ran in between.
    pub(crate) within: (Instant, Instant),
}

/// One link of an error's chain of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The type's name, or `Error` if it is unknown.
    pub type_name: String,
    /// Its message.
    pub message: String,
}

/// A location in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file's path, as the compiler was given it.
    pub file: Cow<'static, str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The stack of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Return addresses, the innermost call first. The request path captures these only.
    Addresses(Vec<usize>),
    /// Named calls, the outermost first. The worker looks them up by the addresses.
    Frames(Vec<Frame>),
}

impl Default for Stack {
    fn default() -> Self {
        Self::Frames(Vec::new())
    }
}

/// A reference to the transaction in which an error happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionReference {
    /// The transaction's id.
    pub id: TransactionId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Cow<'static, str>,
    /// Its result, if it had ended when the error was sent.
    pub result: Option<TransactionResult>,
}

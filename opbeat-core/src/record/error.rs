//! A captured error.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use super::{RequestRecord, TransactionId, TransactionResult, User, Value};

/// Tells one captured error from all others: what an application can show to its user.
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

/// How bad it is, from what is least so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Of interest to those who look for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something to look at one day.
    Warning,
    /// Something failed.
    #[default]
    Error,
    /// The process or the request could not go on: a panic.
    Fatal,
}

impl Level {
    /// Returns the level's word, as it is sent.
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

    /// Returns whether something failed. What is less bad is worth knowing only.
    pub(crate) fn is_failure(self) -> bool {
        self >= Self::Error
    }
}

/// How an error came to be reported, from what tells least to what tells most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Origin {
    /// A response that failed without saying why.
    Status,
    /// A line in the application's log.
    Logged,
    /// What a service failed with, of which nothing is known but its words.
    Described,
    /// An error or a message that was captured as it was.
    #[default]
    Captured,
    /// A panic.
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
    /// How it came to be reported.
    pub origin: Origin,
    /// How many errors it stands for: more than one when there were too many alike to send each.
    pub occurrences: u64,
    /// How bad it is.
    pub level: Level,
    /// The error's type without its module; `None` for messages.
    pub type_name: Option<String>,
    /// The module that defines the type, if it is known.
    pub module: Option<String>,
    /// What it says.
    pub message: String,
    /// What caused it, the nearest cause first.
    pub causes: Vec<Cause>,
    /// Where in the source it comes from, if that is known without a stack.
    pub location: Option<Location>,
    /// What is held responsible: the application's own function nearest to the failure.
    pub culprit: Option<String>,
    /// The calls that led to it.
    pub stack: Stack,
    /// The transaction that it happened in.
    pub transaction: Option<TransactionReference>,
    /// The request.
    pub request: Option<RequestRecord>,
    /// Who it was done for.
    pub user: Option<User>,
    /// Words to find it by.
    pub tags: Vec<(Cow<'static, str>, Value)>,
    /// Whatever the application added.
    pub extra: Vec<(Cow<'static, str>, Value)>,
    /// Other texts by which reports of the same failure are recognised: the error's `Debug` output, or the values of a log
    /// event's error fields. They are not sent.
    pub(crate) other_texts: Vec<String>,
}

/// One link of an error's chain of sources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// The type's name, as far as it can be told.
    pub type_name: String,
    /// What it says.
    pub message: String,
}

/// A place in the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The file, as the compiler was given it.
    pub file: Cow<'static, str>,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// The calls that led to an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stack {
    /// Return addresses, the innermost call first: all that the request path pays for.
    Addresses(Vec<usize>),
    /// Named calls, the oldest first, as the worker made them from the addresses.
    Frames(Vec<Frame>),
}

impl Default for Stack {
    fn default() -> Self {
        Self::Frames(Vec::new())
    }
}

/// One named call of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// The function with its path, without the compiler's hash.
    pub function: String,
    /// The source file's path, as the compiler was given it.
    pub path: String,
    /// The path, cut to what tells it apart.
    pub filename: String,
    /// The line, from 1; 0 where it is not known.
    pub line: u32,
    /// The column, from 1.
    pub column: Option<u32>,
    /// Whether it is the application's own code.
    pub in_app: bool,
    /// Source lines before the line.
    pub pre_context: Vec<String>,
    /// The source line, if the file is at hand.
    pub context_line: Option<String>,
    /// Source lines after the line.
    pub post_context: Vec<String>,
}

/// Names the transaction that an error happened in.
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

//! A finished transaction, and what is counted of all of them.

use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use super::{Outcome, RequestRecord, SpanRecord, TraceParent, TransactionResult, User, Value};

/// Tells one transaction from all others.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub(crate) u128);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Longer names are cut.
const LONGEST_NAME: usize = 512;

/// What transactions are told apart by: few different ones, however many URLs there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum TransactionName {
    /// A name, such as `shop.jobs.newsletter`.
    Name(Cow<'static, str>),
    /// A method and a route's template, shown as `GET /books/{id}`. Kept apart, so that a request pays for no formatting.
    Route {
        /// The method.
        method: &'static str,
        /// The template, as [`http::route`](crate::http::route) keeps it.
        route: &'static str,
    },
}

impl TransactionName {
    /// Cuts a name that was made while the process runs: a long one is none.
    #[inline]
    pub(crate) fn cut(self) -> Self {
        match self {
            Self::Name(Cow::Owned(name)) if name.len() > LONGEST_NAME => cut(name),
            name => name,
        }
    }
}

#[cold]
fn cut(mut name: String) -> TransactionName {
    let end = (0..=LONGEST_NAME).rev().find(|end| name.is_char_boundary(*end)).unwrap_or(0);
    name.truncate(end);
    TransactionName::Name(Cow::Owned(name))
}

impl Default for TransactionName {
    fn default() -> Self {
        Self::Name(Cow::Borrowed("unnamed"))
    }
}

impl From<&'static str> for TransactionName {
    fn from(name: &'static str) -> Self {
        Self::Name(Cow::Borrowed(name))
    }
}

impl From<String> for TransactionName {
    fn from(name: String) -> Self {
        Self::Name(Cow::Owned(name))
    }
}

impl fmt::Display for TransactionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Route { method, route } => write!(f, "{method} {route}"),
        }
    }
}

/// One finished transaction.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TransactionRecord {
    /// Its id.
    pub id: TransactionId,
    /// What it is counted under.
    pub name: TransactionName,
    /// The dotted kind, such as `web.axum` or `task.newsletter`.
    pub kind: Cow<'static, str>,
    /// What it is counted under beside its name.
    pub result: TransactionResult,
    /// How it ended.
    pub outcome: Outcome,
    /// When it began.
    pub started_at: SystemTime,
    /// How long it took, to the last byte of its response.
    pub duration: Duration,
    /// The time that the request waited before it reached the application, as the proxy in front of it noted.
    pub queued: Option<Duration>,
    /// The time until the response's head was ready.
    pub head: Option<Duration>,
    /// The time that the handler was at work on its executor's thread; it waited for the rest.
    pub busy: Option<Duration>,
    /// The trace that the request brought along.
    pub trace: Option<TraceParent>,
    /// The transaction that started this one.
    pub parent: Option<TransactionId>,
    /// Its parts, in the order of their start.
    pub spans: Vec<SpanRecord>,
    /// How many spans were not kept, because there were too many.
    pub dropped_spans: u32,
    /// The request.
    pub request: Option<RequestRecord>,
    /// Who it was done for.
    pub user: Option<User>,
    /// Words to find it by.
    pub tags: Vec<(Cow<'static, str>, Value)>,
    /// Whatever the application added.
    pub extra: Vec<(Cow<'static, str>, Value)>,
}

impl Default for TransactionRecord {
    fn default() -> Self {
        Self {
            id: TransactionId(0),
            name: TransactionName::default(),
            kind: Cow::Borrowed(""),
            result: TransactionResult::default(),
            outcome: Outcome::default(),
            started_at: SystemTime::UNIX_EPOCH,
            duration: Duration::ZERO,
            queued: None,
            head: None,
            busy: None,
            trace: None,
            parent: None,
            spans: Vec::new(),
            dropped_spans: 0,
            request: None,
            user: None,
            tags: Vec::new(),
            extra: Vec::new(),
        }
    }
}

/// The durations of all transactions of one name, kind, result and minute.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationGroup {
    /// The minute that the transactions began in.
    pub minute: SystemTime,
    /// Their name.
    pub name: String,
    /// Their kind.
    pub kind: Cow<'static, str>,
    /// Their result.
    pub result: TransactionResult,
    /// One duration a transaction, in milliseconds. Single precision keeps seven digits in half of the memory.
    pub milliseconds: Vec<f32>,
}

/// The time that all transactions of one name and minute spent in spans of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakdownRecord {
    /// The minute that the transactions began in.
    pub minute: SystemTime,
    /// Their name.
    pub name: String,
    /// Their kind.
    pub kind: Cow<'static, str>,
    /// The spans' kind; `app` for what no span covers.
    pub span_kind: Cow<'static, str>,
    /// How many spans there were.
    pub count: u64,
    /// Their time, less what their own children took.
    pub self_time: Duration,
}
